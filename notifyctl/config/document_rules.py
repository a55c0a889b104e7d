"""Checks rules between two values of one document, which shapes cannot express. Yields problems by path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from notifyctl.config.kinds.accept import accept_problems
from notifyctl.config.kinds.notification import policy_problems
from notifyctl.config.messages import suggest_name
from notifyctl.config.model_builder import end_of, start_of
from notifyctl.diagnostics import Path, Problem
from notifyctl.rulebook import envelope

Values = Mapping[str, Any]


def check_rules(kind: str, values: Values) -> list[Problem]:
    return list(RULES[kind](values)) if kind in RULES else []


def project_rules(values: Values) -> Iterator[Problem]:
    environments = values.get("environments", {})
    known = sorted({"sandbox", *environments})
    default = values.get("defaultEnvironment", "sandbox")
    if default not in known:
        message = f"unknown environment `{default}`"
        hint = suggest_name(default, known, "defined")
        yield Problem(("defaultEnvironment",), "unknown-reference", message, hint)
    if environments.get("sandbox", {}).get("provider", "sandbox") != "sandbox":
        message = "the environment named `sandbox` must be the built-in sandbox, which sends no real messages"
        hint = "set `provider: sandbox`, or rename this environment"
        yield Problem(("environments", "sandbox", "provider"), "invalid-value", message, hint)
    yield from accept_problems(values.get("policy", {}).get("accept", {}), ("policy", "accept"))

    yield from hours_rules(values.get("defaults", {}), ("defaults",))


def audience_rules(values: Values) -> Iterator[Problem]:
    source = values.get("source", {})
    if ("urlEnv" in source or "urlFile" in source) and not ("sql" in source or "table" in source):
        message = "a database needs `table` or `sql`, which select the recipients"
        yield Problem(("source",), "missing-key", message, "for example: table: customers")


def schedule_rules(values: Values) -> Iterator[Problem]:
    if "from" in values and "until" in values and end_of(values["until"]) < start_of(values["from"]):
        message = (
            f"`until` ({written(values['until'])}) must not be before `from` ({written(values['from'])})"
        )
        yield Problem(("until",), "invalid-value", message)
    if "rrule" in values and not isinstance(values["from"], datetime):
        message = (
            f"`rrule` needs a time in `from`, not only the date {values['from']}: it is the first occurrence"
        )
        yield Problem(("from",), "invalid-value", message, f'for example: from: "{values["from"]}T09:00"')
    yield from hours_rules(values, ())


def written(value: date) -> str:
    return value.isoformat(timespec="minutes") if isinstance(value, datetime) else value.isoformat()


def hours_rules(values: Values, path: Path) -> Iterator[Problem]:
    """`values`: of a schedule, or of the project's defaults."""
    for key, what, hint in (
        ("window", "a window", "for the whole day, remove `from` and `to`"),
        ("quietHours", "quiet hours", 'for the whole day, set `from: "00:00"` and `to: "24:00"`'),
    ):
        listed = values.get(key, ())
        for number, each in enumerate(listed):
            if "from" in each and each["from"] == each.get("to"):
                message = f"{what} must not end when {'it starts' if key == 'window' else 'they start'}"
                place = (number, "to") if len(listed) > 1 else ("to",)
                yield Problem((*path, key, *place), "invalid-value", message, hint)


def notification_rules(values: Values) -> Iterator[Problem]:
    if isinstance(values.get("audience"), dict):
        for problem in audience_rules(values["audience"]):
            yield Problem(("audience", *problem.path), problem.rule, problem.message, problem.hint)
    if "contactPolicy" in values:
        yield from policy_problems(values["contactPolicy"], ("contactPolicy",))
    if values.get("multipleToRecipients") is True:
        message = "`multipleToRecipients: true` would show each recipient the addresses of others"
        yield envelope.SHARED_TO.broken(
            ("multipleToRecipients",), message, "remove it, and send copies with `cc`"
        )


RULES: Mapping[str, Callable[[Values], Iterator[Problem]]] = {
    "Project": project_rules,
    "Audience": audience_rules,
    "Schedule": schedule_rules,
    "Notification": notification_rules,
}
