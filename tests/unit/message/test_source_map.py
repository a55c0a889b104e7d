"""Where a character of a composed text is written."""

from __future__ import annotations

from typing import Any

import pytest

from notifyctl.diagnostics import Location
from notifyctl.message.jinja import make_renderer
from notifyctl.message.source_map import Locator, TextSource, find_in_yaml, position_of
from notifyctl.testing import MemoryFiles

LAYOUT = "<html>\n<img id=logo>\n{% block body %}{% endblock %}\n</html>"
FOOTER = "<hr>\n  <img id=foot> {{ imprint }}<img id=last>"
PAGE = """{% extends "base.html" %}
{% block body %}
<p>{{ name }} <img id=first></p>
{% for number in [1, 2, 3] -%}
  <i>{{ number }}</i>
{% endfor %}
{# a note #} <img id=late>
{% raw %}{{ kept }} <img id=raw>{% endraw %}
{% set link %}<img id=set>{% endset %}
{{ link }}
{% include "foot.html" %}
{% endblock %}
"""
FILES = MemoryFiles({"base.html": LAYOUT, "foot.html": FOOTER})
VALUES: dict[str, Any] = {"name": "one\ntwo", "imprint": "Acme"}


def place_of(marker: str, page: str = PAGE) -> Location:
    source = TextSource(Location("m.html", 1, 1), "m.html", page)
    composed = make_renderer(FILES)(page, "m.html", VALUES)
    line, column = position_of(composed, composed.index(marker))
    return Locator(source, composed, files=FILES, variables=VALUES).locate(line, column)


@pytest.mark.parametrize(
    ("marker", "file", "text"),
    [
        ("<img id=first>", "m.html", PAGE),
        ("<i>2", "m.html", PAGE),
        ("<img id=late>", "m.html", PAGE),
        ("{{ kept }}", "m.html", PAGE),
        ("<img id=raw>", "m.html", PAGE),
        ("<img id=set>", "m.html", PAGE),
        ("<img id=logo>", "base.html", LAYOUT),
        ("<img id=foot>", "foot.html", FOOTER),
        ("<img id=last>", "foot.html", FOOTER),
    ],
)
def test_each_character_is_found_in_the_file_that_has_it(marker: str, file: str, text: str) -> None:
    looked_for = "<i>" if marker.startswith("<i>") else marker
    assert place_of(marker) == Location(file, *position_of(text, text.index(looked_for)))


def test_a_value_is_at_its_expression() -> None:
    assert place_of("two") == Location("m.html", *position_of(PAGE, PAGE.index("{{ name }}")))


def test_a_text_that_the_marks_would_change_is_located_as_a_whole() -> None:
    page = "\n\n{% filter reverse %}>gmi<{{ name }} and more{% endfilter %}"
    assert place_of("<img>", page) == Location("m.html")


@pytest.mark.parametrize(
    ("yaml", "text", "found"),
    [
        ("k: |\n  one\n  two WORD\n", "one\ntwo WORD", Location("t.yaml", 3, 7)),
        ("k: >-\n  one\n  two WORD\n", "one two WORD", Location("t.yaml", 3, 7)),
        ("k: 'two WORD'\n", "two WORD", Location("t.yaml", 1, 9)),
        ("k: two\n  WORD WORD\n", "two WORD WORD", Location("t.yaml", 2, 8)),
        ('k: "two \\u0057ORD"\n', "two WORD", Location("t.yaml", 1, 4)),
    ],
    ids=["literal", "folded", "quoted", "second of two", "escaped"],
)
def test_a_string_of_any_style_is_searched_for_its_word(yaml: str, text: str, found: Location) -> None:
    place = position_of(text, text.rindex("WORD"))
    assert find_in_yaml(yaml.splitlines(), Location("t.yaml", 1, 4), text, *place) == found
