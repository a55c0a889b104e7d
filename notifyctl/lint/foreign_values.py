"""Placeholders of other tools in the values that all recipients share: nothing fills them in either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from notifyctl.diagnostics import Diagnostic, Location
from notifyctl.lint.foreign_placeholders import KnownNames, find_foreign, has_foreign_sign
from notifyctl.model.message import Message
from notifyctl.model.project import Notification
from notifyctl.rulebook.substitutions import FOREIGN_PLACEHOLDER


def foreign_values(
    notification: Notification, messages: Mapping[str | None, Message]
) -> Iterator[Diagnostic]:
    """In `substitutions`, and in the defaults of the template's variables."""
    values = list(shared_texts(notification))
    names = {name for message in messages.values() for name in message.names}
    known = KnownNames({*names, *notification.substitutions})
    if not any(has_foreign_sign(value, known) for _, value, _ in values):
        return
    for name, value, place in values:
        for foreign in find_foreign(value, known):
            message = f"the value of $({name}) has `{foreign.text}`, which looks like a placeholder of {foreign.tool} and would be sent unchanged"
            hint = "write the finished value; a value has no placeholders of its own"
            yield Diagnostic(FOREIGN_PLACEHOLDER.id, FOREIGN_PLACEHOLDER.severity, message, place, hint)


def shared_texts(notification: Notification) -> Iterator[tuple[str, str, Location]]:
    """(name, value, place) of each."""
    for name, value in notification.substitutions.items():
        yield name, value, notification.positions.location("substitutions", name)
    template = notification.template
    for variable in template.variables or ():
        if variable.default:
            yield (
                variable.name,
                variable.default,
                template.positions.location("variables", variable.name, "default"),
            )
