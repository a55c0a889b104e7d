"""The words of HTML: what is read, and what hides in attributes, comments and styles."""

from __future__ import annotations

import pytest

from notifyctl.channels.html_words import read_html, text_of


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Hello <b>Ada</b></p><p>Bye</p>", "Hello Ada\nBye"),
        ("<style>p {}</style>a<SCRIPT x>b</Script >c<!-- d -->e<title>f</title>", "ace"),
        ("a<style>b", "ab"),
        ("<!-- <style> -->a<style>b</style>c", "ac"),
        ("<style>a<style>b</style>c<!-- d", "c<!-- d"),
        ('<a href="https://a.example/x?y=1">See</a> it', "See <https://a.example/x?y=1> it"),
        ("<A class=b HREF = 'https://a.example' id=c><b>See</b></A>", "See <https://a.example>"),
        ('<a data-href="no" href="$(link)">See</a>', "See <$(link)>"),
        (
            '<a href="https://a.example">one <a href="https://b.example">two</a>',
            "one <https://a.example> two <https://b.example>",
        ),
        ("<a name=x>here</a> &amp; there", "here & there"),
        ("<abbr title=x href='y'>a</abbr>", "<y> (x) a"),
        ('<img src=a.png alt="Big sale"><img src=b.png><img src=b.png>', "[image: Big sale] [image b.png]"),
        ('<p title="x > y">a</p>', "(x > y) a"),
        ("one<br><br>two<div><div>three</div></div>", "one\n\ntwo\nthree"),
        ("<p>Hi</p><div hidden>secret</div>", "Hi\n[hidden: secret]"),
        ("<p>Hi</p><div style='Display : None'>secret</div>", "Hi\n[hidden: secret]"),
        ("<td style='font-size:0'><p>seen</p></td>", "seen"),
        (
            '<!--[if mso]><v:rect href="https://o.example"/>Pay<![endif]-->',
            "[Outlook, if mso: <https://o.example> Pay]",
        ),
        ("<!--[if !mso]><!-->for others<!--<![endif]-->", "for others"),
        (
            '<input placeholder=ph value=v><form action="https://f.example"></form>',
            "(ph) (v)\n<https://f.example>",
        ),
        ('<map><area alt="Map" href="https://m.example"></map>', "<https://m.example> [Map]"),
        ("a < b and c > d", "a < b and c > d"),
        ("<!-->Pay now<!-- -->", "Pay now"),
        ("<!--->Pay now<!-- -->", "Pay now"),
        ("<!-- a --!>Pay now<!-- -->", "Pay now"),
        ("<head>Pay now<p>today</p></head>x", "Pay now\ntoday\nx"),
        ("<head><!--[if mso]><xml><o:Dpi>96</o:Dpi></xml><![endif]--></head>x", "x"),
        ("<style>p:after{content: attr(data-price)}</style><p data-price=12 data-b=c>Only</p>", "(12) Only"),
        ("<textarea>a</textarea><noscript>b</noscript>", "ab"),
        ("<p title='a", "<p title='a"),
        ("a\x00\x01\x02b", "a\ufffd\ufffd\ufffdb"),
    ],
)
def test_what_is_read(markup: str, text: str) -> None:
    assert text_of(markup) == text


def test_what_comes_first_and_is_hidden_is_shown_next_to_the_subject() -> None:
    words = read_html('<div style="display:none">You <b>won</b>&zwnj;&nbsp;&zwnj;</div><p>Dear Ada</p>')
    assert (words.hidden, words.text) == ("You won", "Dear Ada")


def test_a_style_sheet_hides_too_but_a_media_query_does_not() -> None:
    sheet = "@media (max-width:9px){.m{display:none}} .a, .p{display:none} #q{max-height: 0}"
    words = read_html(f"<style>{sheet}</style><i class='x p'>one</i><p class=m>two</p><b id=q>three</b>")
    assert (words.hidden, words.text) == ("one", "two\n[hidden: three]")


def test_words_outside_the_body() -> None:
    words = read_html(
        '<head><title>Hello &amp;</title><base href="https://b.example/"></head>'
        '<style>a:after{content: \'now\'}</style><script type=application/ld+json>{"name": "Pay"}</script>x'
    )
    assert (words.title, words.base, words.generated) == ("Hello &", "https://b.example/", "now")
    assert (words.data, words.text) == ('{"name": "Pay"}', "x")
