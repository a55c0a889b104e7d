"""Every undefined name of a template and its includes, at each of its places."""

from __future__ import annotations

from notifyctl.message.undefined_names import find_undefined_names
from notifyctl.testing import MemoryFiles

FILES = MemoryFiles(
    {"base.html": "{{ title }}\n{{ shared }}{% block b %}{% endblock %}", "head.html": "<b>\n {{ brand }}"}
)


def found(source: str, **variables: str) -> list[tuple[str, int, int, str]]:
    names = find_undefined_names(source, "m.html", variables, files=FILES)
    return [(each.template, each.line, each.column, each.name) for each in names]


def test_each_use_of_each_name_has_its_place() -> None:
    assert found("{{ a }} {{ known }}\n{{b}} {{ a }}", known="x") == [
        ("m.html", 1, 4, "a"),
        ("m.html", 2, 3, "b"),
        ("m.html", 2, 10, "a"),
    ]


def test_files_that_are_extended_and_included_are_read() -> None:
    source = (
        '{% extends "base.html" %}{% set shared = 1 %}{% block b %}{% include "head.html" %}{% endblock %}'
    )
    assert found(source) == [("base.html", 1, 4, "title"), ("head.html", 2, 5, "brand")]


def test_names_that_a_template_sets_or_asks_for_are_left_out() -> None:
    assert (
        found("{% for x in [1] %}{{ x }}{{ loop.index }}{% endfor %}{% if y is defined %}{{ y }}{% endif %}")
        == []
    )
    assert found("{{ z | default('') }}{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1) }}") == []


def test_texts_attributes_and_comments_are_no_uses() -> None:
    source = "name {# name #}{% raw %}{{ name }}{% endraw %}{{ 'name' ~ known.name ~ name }}"
    assert found(source, known="x") == [("m.html", 1, source.rindex("name") + 1, "name")]


def test_a_file_that_includes_itself_ends() -> None:
    files = MemoryFiles({"m.html": '{% include "m.html" %}{{ a }}'})
    names = find_undefined_names('{% include "m.html" %}{{ a }}', "m.html", {}, files=files)
    assert [each.name for each in names] == ["a"]
