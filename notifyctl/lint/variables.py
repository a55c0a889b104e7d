"""Variables across files: what a text reads, what a template declares, what somebody gives. A value nobody reads is a
warning; a text that reads what nobody declares or gives is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
            f"the text reads $({name}), which `variables` does not declare"
            f" (it declares: {', '.join(sorted(declared)) or 'none'})",
            notification.template.positions.location("content"),
            hint=f"did you mean $({near[0]})?" if near else f"add {name!r} to `variables`",
        )


def unused_variables(notification: Notification, used: set[str]) -> Iterator[Diagnostic]:
    for variable in notification.template.variables or ():
        if variable.name not in used:
            yield Diagnostic(
                "unused-variable",
                Severity.WARNING,
                f"the variable {variable.name!r} is declared and no text reads it",
                notification.template.positions.location("variables", variable.name),
                hint=f"remove it, or write $({variable.name}) where it belongs",
            )


def unread_substitutions(notification: Notification, used: set[str]) -> Iterator[Diagnostic]:
    for name in notification.substitutions:
        if name == UNSUBSCRIBE:
            yield Diagnostic(
                "reserved-variable",
                Severity.ERROR,
                "$(unsubscribe) is filled in by the platform and takes no value",
                notification.positions.location("substitutions", name),
                hint="remove it",
            )
        elif name not in used:
            yield Diagnostic(
                "unread-substitution",
                Severity.WARNING,
                f"the template {notification.template.name!r} does not read $({name})",
                notification.positions.location("substitutions", name),
                hint=f"it reads: {', '.join(sorted(used)) or 'no variable'}",
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
            f"nothing gives $({name}) a value: no substitution of {notification.name!r}, no default of the template,"
            f" no column of the audience {notification.audience.name!r} (it has: {', '.join(sorted(columns)) or 'none'})",
            notification.positions.location("audience"),
            hint=f"add {name!r} to `substitutions`, give the variable a default, or map a column to it",
        )
