"""The HTML of an email: what loads or opens nothing is found at its line, and what only looks like a link is not."""

from __future__ import annotations

import pytest

from notifyctl.lint.markup import check_markup

RELATIVE = [
    '<img alt="" src="img/logo.png">', '<img alt="" src="/logo.png">', '<img alt="" src="//cdn.example/logo.png">',
    '<img alt="" src="file:///C:/logo.png">', '<img alt="" src="C:\\logo.png">', '<body background="img/x.png">',
    '<td background="img/x.png">', '<table background="x.png">', '<link rel="stylesheet" href="css/x.css">',
    '<img alt="" src="https://a.example/x.png" srcset="x-2.png 2x">', '<img alt="" srcset="https://a.example/1.png 1x, img/2.png 2x">',
    '<source srcset="x.webp">', '<video src="x.mp4">', '<video poster="x.png">', '<input type="image" src="x.png">',
    '<td style="background:url(x.png)">', "<td style=\"background-image: url('img/x.png')\">",
    '<td style="background: url(&quot;x.png&quot;) no-repeat">', '<v:fill type="tile" src="x.png" />',
    "<style>@import 'x.css';</style>", '<style>p{background:url("x.png")}</style>', "<style>p{background:URL( x.png )}</style>",
    "<style>@font-face{src:url(//fonts.example/x.woff)}</style>", "<!--[if mso]><v:image src='x.png' /><![endif]-->",
    "<!--[if gte mso 9]><style>p{background:url(x.png)}</style><![endif]-->",
    '<a href="index.html">x</a>', '<a href="/x">x</a>', '<a href="//shop.example">x</a>', '<a href="www.shop.example">x</a>',
    '<a href="shop.example:8080/x">x</a>', '<a href="localhost:3000">x</a>', '<a href="htp://shop.example">x</a>',
    '<a href="https:/shop.example">x</a>', '<a href="https//shop.example">x</a>', '<area href="x.html">', '<a href="file:///x">x</a>',
    '<!--[if mso]><v:roundrect href="x.html"></v:roundrect><![endif]-->', '<a href="ada@shop.example">x</a>', '<a href="">x</a>',
]  # fmt: skip
SOUND = [
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">',
    '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="http://x.example/office">',
    '<html xmlns:og="http://ogp.me/ns#" prefix="og: http://ogp.me/ns#">', '<head profile="http://gmpg.org/xfn/11">',
    '<script type="application/ld+json">{"@context": "http://schema.org"}</script>',
    '<script type=" application/LD+JSON ">{"@context": "http://schema.org"}</script>',
    '<div itemscope itemtype="http://schema.org/EmailMessage"><link itemprop="url" href="https://a.example/x"></div>',
    '<!-- http://a.example and <img src="x.png"> -->', "<style>/* http://a.example url(x.png) */ p{color:red}</style>",
    "<style>@namespace url(http://www.w3.org/1999/xhtml);</style>",
    "<style>p{background:url(\"data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg'/>\")}</style>",
    "<style>v\\:* {behavior: url(#default#VML);}</style>", '<td style="background:url(cid:logo)">', '<img alt="" src="cid:logo">',
    '<img alt="" src="data:image/gif;base64,R0lGOD">', '<img alt="" src=" https://a.example/x.png ">', '<img alt="" src="$(picture)">',
    '<img alt="" srcset="https://a.example/1.png 1x, https://a.example/2,3.png 2x">', '<img alt="" srcset="data:image/gif;base64,R0lGOD 1x">',
    '<a href="whatsapp://send?text=x">x</a>', '<a href="tel:08001234">x</a>', '<a href="sms:12345">x</a>', '<a href="myapp:open">x</a>',
    '<a href="tg://resolve?domain=x">x</a>', '<a href="mailto:a@shop.example">x</a>', '<a href="geo:1,2">x</a>', '<a name="x">x</a>',
    '<a href="#top">x</a>', '<a href="$(unsubscribe)">x</a>', '<a href="HTTPS://SHOP.EXAMPLE">x</a>', '<a href="*|ARCHIVE|*">x</a>',
    '<base href="https://a.example/"><img alt="" src="x.png"><a href="x">y</a><style>p{background:url(x.png)}</style>',
    '<link rel="canonical" href="/x">', '<link rel="stylesheet" href="https://a.example/x.css">',
    "<!--[if mso]><xml><o:OfficeDocumentSettings xmlns:o='http://x.example'></o:OfficeDocumentSettings></xml><![endif]-->",
    '<!--[if mso]><a href="https://a.example"><![endif]--><p>x</p><!--[if mso]></a><![endif]-->',
    '<img alt src="https://a.example/x.png">', '<img src="https://a.example/x.png" alt/>', '<img alt="" src="https://a.example/x.png">',
    "<!--[if !mso]><!--><p>x</p><!--<![endif]-->",
]  # fmt: skip


def found(html: str) -> list[tuple[str, int]]:
    return [(problem.rule, problem.line) for problem in check_markup(("content", "html"), html)]


@pytest.mark.parametrize("html", RELATIVE)
def test_what_is_relative_is_found_at_its_line(html: str) -> None:
    assert found(f"<p>\nx</p>\n{html}\n") == [("relative-link", 3)]


@pytest.mark.parametrize("html", SOUND)
def test_what_only_looks_like_a_link_or_works_is_not(html: str) -> None:
    assert found(html) == []


@pytest.mark.parametrize(
    ("html", "rule", "line"),
    [
        ("<style>\np{color:red}\n.a{background:url(x.png)}\n</style>", "relative-link", 3),
        ("<style>\n/* url(y.png)\n*/\n@import url(http://a.example/x.css);</style>", "insecure-link", 4),
        (
            "<!--[if mso]>\n<table>\n<tr><td background='x.png'></td></tr></table><![endif]-->",
            "relative-link",
            3,
        ),
        ("<!--[if mso]>\n<p>\nhttp://a.example</p><![endif]-->", "insecure-link", 2),
        (
            "<p>\n<!--[if mso]>\n<!--[if true]><img src='https://a.example'><![endif]-->",
            "image-without-alt",
            3,
        ),
        ('<p>\n<img alt="" src="http://a.example/x.png">', "insecure-link", 2),
        ('<p>\n<td style="background:url(http://a.example/x.png)">', "insecure-link", 2),
    ],
)
def test_a_problem_is_at_its_line(html: str, rule: str, line: int) -> None:
    assert found(html) == [(rule, line)]


@pytest.mark.parametrize(
    ("html", "line", "column"),
    [
        ('<p><img src="https://a.example/x.png"></p>', 1, 4),
        ('<p>\n <td\n style="background:url(x.png)">', 2, 2),
        ("<style>a{}\n.b{background:url(x.png)}</style>", 2, 15),
        ("<style>a{background:url(x.png)}</style>", 1, 21),
        ("x<!--[if mso]><v:image src='x.png'><![endif]-->", 1, 15),
        ("<!--[if mso]>\n <v:image src='x.png'><![endif]-->", 2, 2),
        ("<!--[if mso]><style>\n b{background:url(x.png)}</style><![endif]-->", 2, 15),
    ],
)
def test_a_problem_is_at_its_tag_or_url(html: str, line: int, column: int) -> None:
    assert [(problem.line, problem.column) for problem in check_markup(("content", "html"), html)] == [
        (line, column)
    ]


@pytest.mark.parametrize(
    "url", ["[link]", "{url}", "[shop link]", "{{url}}", "*link*", "{Unsubscribe_Preferences}"]
)
@pytest.mark.parametrize("tag", ['<a href="{}">x</a>', '<img alt="" src="{}">', '<td background="{}">'])
def test_a_whole_url_in_brackets_is_a_placeholder_and_no_relative_link(url: str, tag: str) -> None:
    assert "relative-link" not in [rule for rule, _ in found(tag.format(url))]


def test_the_hint_of_a_url_in_brackets_is_ours() -> None:
    hints = [problem.hint for problem in check_markup(("content", "html"), '<a href="[shop link]">x</a>')]
    assert hints == ["for each recipient's own value write $(shop_link)"]


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("//a.example", "write https: before it"),
        ("ada@a.example", "write mailto: before it"),
        ("/x", "write https://…"),
    ],
)
def test_the_hint_of_a_relative_link_is_what_is_missing(url: str, hint: str) -> None:
    assert [each.hint for each in check_markup(("content", "html"), f'<a href="{url}">x</a>')] == [hint]
