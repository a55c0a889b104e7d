"""Tags of other template languages: all are found at their places, and what Jinja2 can render is left to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateError, TemplateSyntaxError

from notifyctl.diagnostics import Location
from notifyctl.message.broken_tags import blank_broken_tags, find_broken_tags
from notifyctl.message.foreign_tags import ForeignTagError, find_foreign_tags
from notifyctl.message.jinja import make_renderer
from notifyctl.message.jinja_comments import CommentError
from notifyctl.message.source_map import TextSource
from notifyctl.message.syntax_hints import explain_syntax
from notifyctl.message.template_errors import explain_error
from notifyctl.testing import MemoryFiles


def render(source: str) -> str:
    return make_renderer(MemoryFiles({}))(source, "a.html", {"name": "Ada", "a": {"b": 1}, "else_": 2})


FOREIGN = [
    "{{#each items}}", "{{/each}}", "{{#if (eq a 'b')}}", "{{^x}}", "{{else}}", "{{else if x}}", "{{~#if x~}}", "{{> footer}}",
    "{{>footer x=1}}", "{{! a note }}", "{{!-- don't }} --}}", "{{&name}}", "{{{name}}}", "{{{ contact.name }}}", "{{@index}}", "{{.}}",
    "{{ .Name }}", "{{- .Name -}}", "{{$name}}", "{{if .X}}", "{{range .Items}}", '{{template "x"}}', "{{=<% %>=}}", "{{1}}", "{{ 12 }}",
    "{#var#}", "{{lead.name:default=you}}", "{{{ pm:unsubscribe }}}", "{{with .X}}", "{{#unless x}}", "{{# each x }}",
]  # fmt: skip
OWN = [
    "{{ name }}", "{{name}}", "{{- name -}}", "{{ a.b }}", "{{ a['b'] }}", "{{ 'x' }}", "{{ 1 + 1 }}", "{{ -1 }}", "{{ '{{#each}}' }}",
    "{% if name %}x{% else %}y{% endif %}", "{# {{#each}} #}", "{% raw %}{{1}}{{#each}}{{/each}}{#var#}{% endraw %}", "{{ name if a else 2 }}",
    "{{ else_ }}", "{{ (1) }}", "{{ smartlink(5) }}", "{{ {'a': 1}['a'] }}", "{{ [1, 2] | join(':') }}", "{{ name[0:2] }}", "{{ name | upper }}",
]  # fmt: skip


@pytest.mark.parametrize("tag", FOREIGN)
def test_a_foreign_tag_is_found_and_never_rendered(tag: str) -> None:
    source = f"<p>\n{tag} {{{{ name }}}} {tag}"
    found = list(find_foreign_tags(source))
    assert [source[each.start : each.end] for each in found] == [tag, tag]
    assert all(each.hint.startswith(("for each recipient's own value write $(", "write ")) for each in found)
    assert render(blank_broken_tags(source)).split() == ["<p>", "Ada"]
    with pytest.raises((TemplateError, CommentError, ForeignTagError)):
        render(source)


@pytest.mark.parametrize("tag", OWN)
def test_what_jinja_renders_is_not_foreign(tag: str) -> None:
    assert find_broken_tags(tag) == []
    assert blank_broken_tags(tag) == tag
    render(tag)


def test_a_number_is_refused_that_jinja_would_write() -> None:
    with pytest.raises(ForeignTagError):
        render("Your code is {{1}}")


@given(st.text(alphabet="{}#/^!>&@. \n1nameif\"'-%|:", max_size=40))
def test_any_template_can_be_looked_at(source: str) -> None:
    blanked = blank_broken_tags(source)
    assert len(blanked) == len(source)
    assert blanked.count("\n") == source.count("\n")


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("{% assign x = 1 %}", "unknown tag `assign`", "write {% set name = value %}"),
        ("{% if name %}{% elsif a %}{% endif %}", "unknown tag `elsif`", "write {% elif … %}"),
        ("{% trans %}", "unknown tag `trans`", "wrap them in {% raw %}"),
        ("{{ name | uper }}", "unknown filter `uper`", "did you mean `upper`?"),
        ('{{ name | default: "x" }}', "got ':'", "in parentheses"),
        ("{{ first name }}", "got 'name'", "for each recipient's own value write $(name)"),
        ("{{ name ? }}", 'unexpected character "?"', "wrap them in {% raw %}"),
    ],
)
def test_a_syntax_error_says_what_to_write(source: str, message: str, hint: str) -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        render(source)
    said, advice = explain_syntax(str(caught.value.message))
    assert message in said
    assert hint in advice


def test_every_tag_that_jinja_cannot_read_is_found_at_once() -> None:
    source = "{{ a ? }}\n{% unless x %}{{ name | default: 1 }}{% endunless %}\n{{#if y}}{{ name | uper }}{{ name }}"
    found = find_broken_tags(source)
    assert [source[tag.start : tag.end] for tag in found] == [
        "{{ a ? }}",
        "{% unless x %}",
        "{{ name | default: 1 }}",
        "{% endunless %}",
        "{{#if y}}",
        "{{ name | uper }}",
    ]
    assert render(blank_broken_tags(source)).split() == ["Ada"]


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }} {{1}}",
        "{% if name %}" * 3000 + "{{1}}" + "{% endif %}" * 3000,
        "{{ 'a' * 9**9**9 }}{{1}}",
    ],
)
def test_a_template_that_is_too_much_ends_in_diagnostics(source: str) -> None:
    text = TextSource(Location("a.html", 1, 1), "a.html", source)
    problems = explain_error(ForeignTagError(), text, {"name": "Ada"}, files=MemoryFiles({"a.html": source}))
    assert "would become a number" in " ".join(problem.message for problem in problems)
