"""Made-up people in place of an audience that is not here, so that a review without the data still shows the words.

Their addresses are from ranges reserved for fiction, their values the examples that the template gives.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.errors import AbsentAudienceError
from notifyctl.message import find_placeholders
from notifyctl.model.message import UNSUBSCRIBE
from notifyctl.model.project import Audience, ChannelName, InlineRecipient, Notification


def make_recipients(
    notification: Notification, error: AbsentAudienceError
) -> tuple[Audience, list[Diagnostic]]:
    """One person for each locale of the template, and what to say of it."""
    audience = notification.audience
    note = "shown with sample data; the number of recipients is unknown here"
    warnings = [
        replace(each, severity=Severity.WARNING, message=f"{each.message}: {note}")
        for each in error.diagnostics
    ]
    people = tuple(
        make_recipient(notification, number, locale) for number, locale in enumerate(locales_of(notification))
    )
    return Audience(audience.name, audience.positions, recipients=people), warnings


def locales_of(notification: Notification) -> Iterator[str | None]:
    yield None
    yield from sorted(notification.template.locales)


def make_recipient(notification: Notification, number: int, locale: str | None) -> InlineRecipient:
    mail = notification.channel is ChannelName.EMAIL
    return InlineRecipient(
        location=notification.audience.positions.location("source"),
        msisdn=() if mail else (f"+44770090{number:04}",),
        email=(f"recipient{number}@recipient.example",) if mail else (),
        locale=locale,
        substitutions=dict(example_values(notification)),
    )


def example_values(notification: Notification) -> Iterator[tuple[str, str]]:
    """An example for each variable that nothing else gives a value."""
    template = notification.template
    declared = {variable.name: variable for variable in template.variables or ()}
    texts = [template.content or {}, template.options, *(each.content for each in template.locales.values())]
    names = set(declared) | {name for text in texts for name in find_placeholders(text)}
    names |= set(notification.audience.substitutions or ())
    for name in sorted(names - set(notification.substitutions) - {UNSUBSCRIBE}):
        variable = declared.get(name)
        if variable is None or variable.default is None:
            yield name, (variable.example if variable and variable.example else f"[{name}]")
