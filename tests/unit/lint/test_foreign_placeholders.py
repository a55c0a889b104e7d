"""Placeholders of other tools: each family is found wherever it is, and prose that looks like one is not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.lint.content_checks import check_words
from notifyctl.lint.foreign_placeholders import KnownNames, find_foreign, suggest_placeholder
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName

FAMILIES = [
    "*|FNAME|*", "*|MC:SUBJECT|*", "[[HEADLINE]]", '[[data:firstname:"there"]]', "%%First_Name%%", "%%First Name%%", "%%=v(@x)=%%",
    "%%[ SET @x = 1 ]%%", "{!Contact.FirstName}", "{!firstname_fix}", "{$name}", "{$name|default:'you'}", "<%= name %>", "<% if x %>",
    "<%first_name%>", "#{name}", "#{user.first_name}", "%{name}", "@{name}", "@{triggerBody()?['name']}", "{first_name}", "{firstName}",
    "{contact.first_name}", "{contactfield=firstname|you}", "{0}", "{0:C}", "%s", "%1$s", "%d", "%@", "%(name)s",
    "[firstname,fallback=there]", "[Name,fallback=]", "[subscriber:firstname | default:reader]", "<unsubscribe>", "<webversion>",
    "$[name]", "$[FNAME|Customer]$", "{#var#}", "((name))", "((first name))", "${name}", "$!{name}", "%NAME%", "%recipient.name%",
    "{{name}}", "{{{name}}}", "{% if x %}", "[%unsubscribe%]", "{if $x}", "{/if}", "{count, plural, one {# day} other {# days}}",
    "<?= $name ?>", "<<First Name>>", "#if($x)", "#foreach($x in $y)", "<#if x>", "</#list>", "##name##", "@@name@@", "~Contact.FirstName~",
    "@Model.Name", "#recipient:name#", "[unsubscribe]", "{unsubscribe}", "[UNSUBSCRIBEURL]", "<unsubscribe />",
]  # fmt: skip
WEAK = [
    "{name}", "{NAME}", "{ name }", "{name|you}", "[name]", "[NAME]", "[ Name ]", "<name>", "-name-", "$name", "$name$", "$!name", ":name",
    "@name", "@NAME@", "#name#", "%name", "~name~", "__name__", "|name|", "!name!", "^name^", "«name»", "{First Name}", "[FIRSTNAME]",
    "[first-name]", "[name|there]",
]  # fmt: skip
"""Placeholders where `name` and `first_name` are columns, and prose where not."""
PROSE = [
    "50% off, 20 % VAT and 100%", "3 > 2 < 5", "a [sic] note", "see [1] and [2]", "(see (a) and (b))", "5:30 pm, ratio 3:2", "me@name.example",
    "first-name-terms", "{see below}", "#1 and #name", "$5, $ 5, US$5", "~5 days", "a | b | c", "Hi! name!", "x^2^", "<3", ">>> or <<<",
    "https://shop.example/a%20b?x=%C3%A9&y=50%25#z", "$(name) and $(first_name)", "{{smartlink_5}}", "@ home", "AT&T", "-- name --",
    "snake_case_name and __init", "e-mail", "a: name", "12.50-name", "[Tel.]", "{ }", "[]", "%", "f((x))", "\\d{3}", "(name)", "10 %de rabais",
]  # fmt: skip
KNOWN = KnownNames(["name", "first_name"])


def problems(
    channel: ChannelName, content: dict[str, Any], known: KnownNames = KNOWN
) -> list[tuple[str, int]]:
    """(rule, line) of each problem."""
    return [(each.rule, each.line) for each in check_words(Message(channel, "ACME", content), known)]


@pytest.mark.parametrize("foreign", [*FAMILIES, *WEAK])
@pytest.mark.parametrize("sentence", ["Dear {}, hello", "{}", "Dear {}", "Hello\n{}!", "({})"])
def test_a_family_is_found_in_an_sms(foreign: str, sentence: str) -> None:
    text = sentence.format(foreign)
    line = 2 if "\n" in text else 1
    assert ("foreign-placeholder", line) in problems(ChannelName.SMS, {"type": "text", "text": text})


@pytest.mark.parametrize("foreign", [*FAMILIES, *WEAK])
def test_a_family_is_found_in_a_subject_and_in_rcs(foreign: str) -> None:
    email = {"type": "html", "subject": f"Dear {foreign}", "html": "<p>Hello</p>"}
    card = {"type": "card", "title": f"Dear {foreign}"}
    assert problems(ChannelName.EMAIL, email) == [("foreign-placeholder", 1)]
    assert problems(ChannelName.RCS, card) == [("foreign-placeholder", 1)]


@pytest.mark.parametrize("foreign", [*FAMILIES, *WEAK])
def test_a_family_is_found_in_html_at_its_line(foreign: str) -> None:
    html = f"<p>\n\nDear {foreign}, hello</p>"
    assert ("foreign-placeholder", 3) in problems(ChannelName.EMAIL, {"type": "html", "html": html})


@pytest.mark.parametrize(
    "foreign", [each for each in [*FAMILIES, *WEAK] if not re.search(r"""["'<>]""", each)]
)
@pytest.mark.parametrize("url", ["{}", "https://shop.example/{}", "https://shop.example/?a={}&b=1"])
def test_a_family_in_a_link_is_no_relative_link(foreign: str, url: str) -> None:
    html = f'<p><a href="{url.format(foreign)}">shop</a></p>'
    assert problems(ChannelName.EMAIL, {"type": "html", "html": html}) == [("foreign-placeholder", 1)]


@pytest.mark.parametrize("weak", WEAK)
def test_a_weak_shape_is_prose_without_a_column_of_that_name(weak: str) -> None:
    assert (
        problems(ChannelName.SMS, {"type": "text", "text": f"Dear {weak}, hello"}, KnownNames(["city"])) == []
    )
    assert problems(ChannelName.SMS, {"type": "text", "text": f"Dear {weak}, hello"}, KnownNames()) == []


@pytest.mark.parametrize("text", PROSE)
def test_prose_is_no_placeholder(text: str) -> None:
    assert list(find_foreign(text, KNOWN)) == []


@pytest.mark.parametrize(
    "html",
    [
        "<!-- *|FNAME|* and [name] and {{name}} -->",
        "<style>a[name]{color:red}.x-name-y:name{top:50%}@media print{#name{color:red}}</style>",
        '<table name class="-name- [name]2"><tr><td :name @name="x"></td></tr></table>'.replace(
            ' class="-name- [name]2"', ""
        ),
        '<script type="application/ld+json">{"a": {"name": ["name"]}}</script>',
        "<!--[if mso]><p>x</p><![endif]--><!--[if !mso]><!--><p>y</p><!--<![endif]-->",
        '<p style="width:calc((100% - 20px) / 2);background:url(https://a.example/%20name%20.png)">x</p>',
    ],
)
def test_what_no_recipient_sees_in_html_is_no_placeholder(html: str) -> None:
    assert problems(ChannelName.EMAIL, {"type": "html", "html": html}) == []


def test_a_tag_of_html_is_no_placeholder() -> None:
    html = "<p><title>x</title><address>y</address><time>z</time></p>"
    known = KnownNames(["title", "address", "time", "name"])
    assert problems(ChannelName.EMAIL, {"type": "html", "html": html}, known) == []


def test_each_place_is_reported_once() -> None:
    html = "<p>[name] [name]</p>\n<p>*|FNAME|*</p>\n<!--[if mso]><p>[name]</p><![endif]-->"
    message = Message(ChannelName.EMAIL, "ACME", {"type": "html", "html": html})
    places = sorted((each.line, each.column) for each in check_words(message, KNOWN))
    assert places == [(1, 4), (1, 11), (2, 4), (3, 17)]


@pytest.mark.parametrize(
    ("foreign", "hint"),
    [
        ("*|FNAME|*", "for each recipient's own value write $(first_name)"),
        ('[[data:firstname:"there"]]', "for each recipient's own value write $(first_name)"),
        ("{First Name}", "for each recipient's own value write $(first_name)"),
        ("%%City%%", "for each recipient's own value write $(City)"),
        ("%%Street Name%%", "for each recipient's own value write $(Street_Name)"),
        ("%s", "for each recipient's own value write $(name)"),
        ("{0}", "for each recipient's own value write $(name)"),
        ("*|UNSUB|*", "write $(unsubscribe), which the platform fills in"),
    ],
)  # fmt: skip
def test_the_hint_names_the_column(foreign: str, hint: str) -> None:
    assert suggest_placeholder(foreign, KnownNames(["first_name"])) == hint


@given(st.text(alphabet="{}[]<>%$#@*|()!~^_-:&;«» \nnamelt1=/\"'", max_size=60))
def test_any_text_can_be_looked_at(text: str) -> None:
    for found in find_foreign(text, KNOWN):
        assert text.startswith(found.text, found.start)
        assert "write $(" in suggest_placeholder(found.text, KNOWN)
