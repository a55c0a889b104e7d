"""Lint rules for values that no text uses, reserved names, and locale texts without some variables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from notifyctl.diagnostics import Diagnostic, Location, Severity
from notifyctl.lint.project import Checked
from notifyctl.lint.variables import suggest_used
from notifyctl.model.message import UNSUBSCRIBE, Message
from notifyctl.model.project import Audience, Notification
from notifyctl.rulebook import substitutions


def check_values(checked: Checked) -> Iterator[Diagnostic]:
    """Checks all notifications together: a value is unused if no notification with the audience uses it."""
    read: defaultdict[str, set[str]] = defaultdict(set)
    audiences: dict[str, Audience] = {}
    opaque: set[str] = set()
    for notification, messages in checked.drafts:
        key = notification.audience.positions.file + "\0" + notification.audience.name
        audiences[key] = notification.audience
        whole = len(messages) == 1 + len(notification.template.locales)
        if notification.template.remote_id is not None or not whole:
            opaque.add(key)
        for message in messages.values():
            read[key].update(message.names)
        yield from check_names(notification, messages)
    for key, audience in audiences.items():
        yield from unread_values(audience, read[key], judged=key not in opaque)


def check_names(notification: Notification, messages: Mapping[str | None, Message]) -> Iterator[Diagnostic]:
    """Checks one notification. Variants are compared only if all could be composed."""
    if len(messages) == 1 + len(notification.template.locales):
        yield from variant_differences(notification, {v: set(m.names) for v, m in messages.items()})
    if any(variable.name == UNSUBSCRIBE for variable in notification.template.variables or ()):
        yield unread_value(notification.template.positions.location("variables", UNSUBSCRIBE))


def unread_value(place: Location) -> Diagnostic:
    message = "$(unsubscribe) is filled in by the provider; its value is ignored"
    return Diagnostic(substitutions.RESERVED.id, Severity.ERROR, message, place, "remove it")


def unread_values(audience: Audience, names: set[str], *, judged: bool) -> Iterator[Diagnostic]:
    """`judged`: all texts for the audience are known, so that unused values can be reported."""
    provided: dict[str, Location] = {}
    for recipient in audience.recipients or ():
        for name in recipient.substitutions:
            provided.setdefault(name, recipient.location)
    for name in audience.substitutions or ():
        provided.setdefault(name, audience.positions.location("substitutions", name))
    for name, place in provided.items():
        if name == UNSUBSCRIBE:
            yield unread_value(place)
        elif judged and name not in names:
            message = f"no template sent to this audience uses $({name})"
            hint = suggest_used(name, names)
            yield Diagnostic(substitutions.UNREAD.id, Severity.WARNING, message, place, hint)


def variant_differences(
    notification: Notification, names: dict[str | None, set[str]]
) -> Iterator[Diagnostic]:
    """Reports variants without a variable of the default text: often a line that was not translated."""
    for variant, read in names.items():
        lacking = names[None] - read
        if variant is not None and lacking:
            listed = ", ".join(f"$({name})" for name in sorted(lacking))
            message = f"the {variant} text does not use {listed}, which the default text uses"
            place = notification.template.positions.location("locales", variant)
            hint = "add it, or add an ignore comment with a reason"
            yield Diagnostic("variant-lacks-variable", Severity.WARNING, message, place, hint)
