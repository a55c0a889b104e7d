"""From a template to a message: variants, files, variables, and everything that a template can do wrong."""

from __future__ import annotations

from typing import Any

import pytest

from notifyctl.diagnostics import Diagnostic, Location, Positions
from notifyctl.message import compose, content_hash, variant_for, variants
from notifyctl.model.message import Message
from notifyctl.model.project import Audience, ChannelName, LocaleVariant, Notification, Template, Variable
from notifyctl.testing import MemoryFiles

MARKS = Positions("templates/outage.yaml", {("content", "text"): (8, 9), ("content",): (7, 3)})


def template(**parts: Any) -> Template:
    given = {"content": {"type": "text", "text": "Hi $(name). {{ brand }}"}, **parts}
    return Template("outage", ChannelName.SMS, MARKS, **given)


def composed(
    source: Template, *, variant: str | None = None, files: dict[str, str] | None = None, **parts: Any
) -> tuple[Message | None, list[Diagnostic]]:
    notification = Notification("n", source, Audience("a", Positions("a.yaml")), Positions("n.yaml"), **parts)
    return compose(
        notification,
        variant=variant,
        variables={"brand": "Acme & Co"},
        sender="CNNECT",
        locale=variant or "en",
        columns=("name", "area"),
        files=MemoryFiles(files or {}),
    )


def text(source: Template, **parts: Any) -> Any:
    message, problems = composed(source, **parts)
    assert problems == []
    assert message is not None
    assert message.content is not None
    return message.content["text"]


def rule(source: str, **parts: Any) -> str:
    message, problems = composed(template(content={"type": "text", "text": source}), **parts)
    assert message is None
    (problem,) = problems
    return problem.rule


def test_jinja_runs_once_and_substitutions_are_left_standing() -> None:
    assert text(template()) == "Hi $(name). Acme & Co"


def test_a_variant_is_merged_over_the_text_key_by_key() -> None:
    source = template(locales={"fr": LocaleVariant({"text": "Bonjour $(name) ({{ locale }})"})})
    message, _ = composed(source, variant="fr")
    assert message is not None
    assert message.content == {"type": "text", "text": "Bonjour $(name) (fr)"}
    assert message.locale == "fr"


def test_options_of_the_notification_win_over_those_of_the_template() -> None:
    source = template(options={"shortenLinks": True, "extras": {"a": "1"}})
    message, _ = composed(source, options={"shortenLinks": False, "extras": {"b": "2"}})
    assert message is not None
    assert message.options == {"shortenLinks": False, "extras": {"a": "1", "b": "2"}}


@pytest.mark.parametrize(
    ("locale", "expected"),
    [("fr-CA", "fr"), ("FR_ca", "fr"), ("fr", "fr"), ("de", None), (None, None), ("", None)],
)
def test_a_locale_falls_back_to_its_language_then_to_the_default(
    locale: str | None, expected: str | None
) -> None:
    source = template(locales={"fr": LocaleVariant(), "en-GB": LocaleVariant()})
    assert variant_for(source, locale) == expected
    assert variants(source) == (None, "en-GB", "fr")


def test_shared_values_are_the_notifications_over_the_defaults_and_only_those_used() -> None:
    source = template(
        content={"type": "text", "text": "$(a) $(b) $(c) $(d)"},
        variables=(
            Variable("a", default="default"),
            Variable("b", default="default"),
            Variable("c", required=False),
            Variable("d"),
        ),
    )
    message, _ = composed(source, substitutions={"b": "given", "unused": "x"})
    assert message is not None
    assert message.names == ("a", "b", "c", "d")
    assert message.shared == {"a": "default", "b": "given", "c": ""}


def test_an_opaque_body_is_given_all_values_there_are() -> None:
    message, _ = composed(template(content=None, remote_id="5S2XXXXFNR"), substitutions={"value": "4 h"})
    assert message is not None
    assert (message.content, message.names, message.shared) == (
        None,
        ("area", "name", "value"),
        {"value": "4 h"},
    )
    assert content_hash(message).startswith("d1:")


def test_a_file_stands_for_a_text_and_may_include_and_extend() -> None:
    files = {
        "layouts/base.html": "<h1>{{ brand }}</h1>{% block body %}{% endblock %}{% include 'foot.html' %}",
        "layouts/foot.html": "<p>$(unsubscribe)</p>",
        "templates/mail.html": "{% extends 'layouts/base.html' %}{% block body %}<b>$(name)</b>{% endblock %}",
    }
    message, problems = composed(template(content={"type": "html", "htmlFile": "mail.html"}), files=files)
    assert problems == []
    assert message is not None
    assert message.content is not None
    assert message.content["html"] == "<h1>Acme &amp; Co</h1><b>$(name)</b><p>$(unsubscribe)</p>"
    assert message.names == ("name",)


def test_a_file_of_a_variant_replaces_the_text_of_the_default() -> None:
    source = template(locales={"fr": LocaleVariant({"textFile": "fr.txt"})})
    assert text(source, variant="fr", files={"fr.txt": "Bonjour"}) == "Bonjour"


def test_a_smartlink_is_written_in_the_form_of_the_api() -> None:
    assert text(template(content={"type": "text", "text": "See {{ smartlink(5) }}"})) == "See {{smartlink_5}}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ brnd }}", "template-undefined"),
        ("{{ brand", "template-syntax"),
        ("{% include 'nowhere.txt' %}", "template-include"),
        ("{% include '../../etc/passwd' %}", "template-include"),
        ("{{ ''.__class__.__mro__ }}", "template-security"),
        ("{{ smartlink.__globals__ }}", "template-security"),
        ("{{ 'a' * 2000000000 }}", "template-limit"),
        ("{{ '%2000000000d' % 1 }}", "template-limit"),
        ("{{ 10 ** 10 ** 10 }}", "template-limit"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "template-limit"),
        ("{% for i in range(150000) %}0123456789{% endfor %}", "template-limit"),
        ("{{ 1 / 0 }}", "template-error"),
        (
            "{% set s = 'a' * 99999 %}{% for a in s %}{% for b in s %}{% endfor %}{% endfor %}",
            "template-limit",
        ),
        (
            "{% macro f(s, n) %}{% if n %}{{ f(s ~ s, n - 1) }}{% endif %}{% endmacro %}{{ f('aaaaaaaa', 40) }}",
            "template-limit",
        ),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "template-limit"),
    ],
)
def test_what_a_template_can_do_wrong_is_a_diagnostic(source: str, expected: str) -> None:
    assert rule(source) == expected


def test_a_file_that_includes_itself_ends() -> None:
    assert rule("{% include 'a.txt' %}", files={"a.txt": "{% include 'a.txt' %}"}) == "template-limit"


def test_an_error_in_a_block_scalar_is_located_at_its_line() -> None:
    source = template(content={"type": "text", "text": "one\ntwo\n{{ brand \n"})
    yaml = "\n" * 7 + "  text: |\n    one\n    two\n    {{ brand\n"
    _, (problem,) = composed(source, files={"templates/outage.yaml": yaml})
    assert problem.location == Location("templates/outage.yaml", 8 + 3, 5)


def test_an_undefined_variable_names_those_there_are() -> None:
    _, (problem,) = composed(template(content={"type": "text", "text": "{{ brnd }}"}))
    assert "brnd" in problem.message
    assert "brand" in str(problem.hint)
    assert (problem.location.line, problem.location.column) == (8, 9)


def test_all_problems_are_found_at_once() -> None:
    _, problems = composed(template(content={"type": "text", "text": "{{ a }}", "subject": "{{ b }}"}))
    assert len(problems) == 2


def test_a_file_that_is_missing_says_where_it_was_looked_for() -> None:
    _, (problem,) = composed(template(content={"type": "text", "textFile": "missing.txt"}))
    assert problem.rule == "unreadable-file"
    assert "missing.txt" in problem.message
