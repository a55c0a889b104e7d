"""Variables across files: those that a text uses, those that a template declares, and those with values. An unused value is a
warning; a variable without a declaration or a value is an error.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.model.message import UNSUBSCRIBE, Message
from notifyctl.model.project import Notification

Messages = Mapping[str | None, Message]
"""The composed message of each variant."""


def check_variables(
    notification: Notification, messages: Messages, columns: tuple[str, ...]
) -> Iterator[Diagnostic]:
    """`columns` are the audience's variables. Nothing is said of variants that could not be composed."""
    if len(messages) < 1 + len(notification.template.locales):
        return
    used = {name for message in messages.values() for name in message.names}
    yield from undeclared_variables(notification, used)
    if notification.template.remote_id is None:
        yield from unused_variables(notification, used)
        yield from unread_substitutions(notification, used)
    yield from unfilled_variables(notification, messages, columns)


def undeclared_variables(notification: Notification, used: set[str]) -> Iterator[Diagnostic]:
    variables = notification.template.variables
    if variables is None:
        return
    declared = {variable.name for variable in variables}
    for name in sorted(used - declared):
        from difflib import get_close_matches

        near = get_close_matches(name, declared, n=1)
        yield Diagnostic(
            "undeclared-variable",
            Severity.ERROR,
            f"the template uses $({name}), which `variables` does not declare"
            f" (declared: {', '.join(sorted(declared)) or 'none'})",
            notification.template.positions.location("content"),
            hint=f"did you mean $({near[0]})?" if near else f"add `{name}` to `variables`",
        )


def unused_variables(notification: Notification, used: set[str]) -> Iterator[Diagnostic]:
    for variable in notification.template.variables or ():
        if variable.name not in used:
            yield Diagnostic(
                "unused-variable",
                Severity.WARNING,
                f"variable `{variable.name}` is declared but not used",
                notification.template.positions.location("variables", variable.name),
                hint=suggest_use(variable.name, used),
            )


def suggest_used(name: str, used: Collection[str]) -> str:
    """A hint for a value that no text uses: the nearest variable, else all of them."""
    from difflib import get_close_matches

    near = get_close_matches(name, used, n=1)
    known = ", ".join(f"$({each})" for each in sorted(used)) or "no variables"
    return f"did you mean $({near[0]})?" if near else f"they use: {known}"


def suggest_use(name: str, used: set[str]) -> str:
    """A hint for a declared variable that no text uses."""
    from difflib import get_close_matches

    near = get_close_matches(name, used, n=1)
    return f"did you mean $({near[0]})?" if near else f"use $({name}) in the text, or remove the variable"


def unread_substitutions(notification: Notification, used: set[str]) -> Iterator[Diagnostic]:
    for name in notification.substitutions:
        if name == UNSUBSCRIBE:
            yield Diagnostic(
                "reserved-variable",
                Severity.ERROR,
                "$(unsubscribe) is filled in by the provider; its value is ignored",
                notification.positions.location("substitutions", name),
                hint="remove it",
            )
        elif name not in used:
            yield Diagnostic(
                "unread-substitution",
                Severity.WARNING,
                f"template `{notification.template.name}` does not use $({name})",
                notification.positions.location("substitutions", name),
                hint=suggest_used(name, used),
            )


def unfilled_variables(
    notification: Notification, messages: Messages, columns: tuple[str, ...]
) -> Iterator[Diagnostic]:
    """A `$(name)` that neither the notification, nor a default, nor any column of the audience gives a value."""
    names = {name for message in messages.values() for name in message.names if name not in message.shared}
    for name in sorted(names - set(columns)):
        yield Diagnostic(
            "missing-variable",
            Severity.ERROR,
            f"no value for $({name}): no substitution of notification `{notification.name}`, no default in template"
            f" `{notification.template.name}`, no column of audience `{notification.audience.name}`"
            f" (columns: {', '.join(sorted(columns)) or 'none'})",
            notification.positions.location("audience"),
            hint=f"add `{name}` to `substitutions`, give it a default, or map a column to it",
        )
