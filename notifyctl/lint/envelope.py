"""The envelope of a message: senders, credentials, copies, times, attachments' sizes. Much of it is
inferred: a project that knows better makes a rule a warning in `lint:`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from notifyctl.channels.field_checks import is_email_address
from notifyctl.channels.limits import (
    MAX_COPIES,
    MAX_EXPIRY_DAYS_SMS,
    MAX_MIME_BYTES,
    MAX_VALIDITY_SMS,
    MIME_GROWTH,
)
from notifyctl.channels.senders import check_sender
from notifyctl.diagnostics import Diagnostic
from notifyctl.message.compose import locate_text, merge, position_finder
from notifyctl.model.message import Message
from notifyctl.model.project import Category, ChannelName, Environment, Notification, Project
from notifyctl.rulebook import email, envelope, times


def check_environments(project: Project) -> Iterator[Diagnostic]:
    """Every environment, whichever is linted: nobody looks at production's settings before the day they are needed."""
    for environment in project.environments.values():
        for channel, sender in environment.senders.items():
            for problem in check_sender(channel, sender, ("senders", channel.value)):
                yield problem.at(environment.positions)
        auth = environment.auth
        if not environment.is_sandbox and auth.jwt is None and auth.service_key is None:
            message = f"environment `{environment.name}` has no credentials"
            hint = "add `auth: {serviceKeyEnv: …}`, or `auth: {jwt: {serviceIdEnv: …, secretEnv: …}}`"
            yield envelope.NO_CREDENTIAL.broken((), message, hint).at(environment.positions)
        if auth.jwt is not None and auth.service_key is not None:
            message = "both a JWT and a service key are configured; the API ignores the key"
            yield envelope.TWO_CREDENTIALS.broken(("auth",), message, "remove one of them").at(
                environment.positions
            )


def check_envelope(
    notification: Notification,
    messages: Mapping[str | None, Message],
    environment: Environment,
    *,
    timezone: str,
) -> Iterator[Diagnostic]:
    """`messages` are the variants that could be composed. `timezone`: the project's."""
    positions = notification.positions
    if notification.sender is not None:
        for problem in check_sender(notification.channel, notification.sender, ("from",)):
            yield problem.at(positions)
    if notification.channel is ChannelName.EMAIL:
        yield from check_copies(notification, environment.profile)
        yield from check_unsubscribe(notification, messages)
        yield from check_size(notification, messages)
    yield from check_times(notification, environment.profile, timezone=timezone)


def check_copies(notification: Notification, profile: str) -> Iterator[Diagnostic]:
    copies = [("cc", notification.cc or ()), ("bcc", notification.bcc or ())]
    for key, addresses in copies:
        for position, address in enumerate(addresses):
            if not is_email_address(address):
                message = f"invalid email address in `{key}`"
                yield email.COPIES.broken(
                    (key, position), message, "use name@domain, for example alerts@acme.example"
                ).at(notification.positions)
    count = 1 + sum(len(addresses) for _, addresses in copies)
    if profile == email.TOO_MANY_COPIES.profile and count > MAX_COPIES:
        key = max(copies, key=lambda pair: len(pair[1]))[0]
        message = f"each email would go to {count} addresses, including copies; the limit is {MAX_COPIES} (profile 6.20)"
        yield email.TOO_MANY_COPIES.broken((key,), message, "shorten cc and bcc").at(notification.positions)


def check_unsubscribe(
    notification: Notification, messages: Mapping[str | None, Message]
) -> Iterator[Diagnostic]:
    if notification.template.category is not Category.MARKETING:
        return
    for variant, message in messages.items():
        html = (message.content or {}).get("html")
        if isinstance(html, str) and "$(unsubscribe)" not in html:
            path = ("content", "html")
            problem = "a marketing email has no link to unsubscribe"
            hint = 'add <a href="$(unsubscribe)">Unsubscribe</a>'
            place = locate_text(notification, variant, path)
            yield email.UNSUBSCRIBE_MISSING.broken(path, problem, hint).at_location(place)


def check_size(notification: Notification, messages: Mapping[str | None, Message]) -> Iterator[Diagnostic]:
    """By the sizes that authors gave for their attachments, and the texts."""
    for variant, message in messages.items():
        content = message.content or {}
        words = sum(len(str(content.get(key, "")).encode()) for key in ("text", "html"))
        attached = attached_bytes(notification, variant)
        encoded = int((words + attached) * MIME_GROWTH)
        if encoded > MAX_MIME_BYTES:
            problem = (
                f"the email has about {encoded / 1e6:.1f} MB after MIME encoding"
                f" ({(words + attached) / 1e6:.1f} MB times {MIME_GROWTH}); the limit is {MAX_MIME_BYTES / 1e6:.0f} MB"
            )
            path = ("content", "attachments")
            hint = "attach less, or link to it"
            yield email.MIME_SIZE.broken(path, problem, hint).at(position_finder(notification, variant)(path))


def attached_bytes(notification: Notification, variant: str | None) -> int:
    template = notification.template
    own = template.locales[variant].content if variant else {}
    files = merge(template.content or {}, own).get("attachments") or ()
    return sum(int(each.get("size") or 0) for each in files)


def check_times(notification: Notification, profile: str, *, timezone: str) -> Iterator[Diagnostic]:
    """Of a schedule that this notification uses; what needs the clock is for a plan to say. `timezone`: the project's."""
    schedule = notification.schedule
    if schedule is None:
        return
    at, ends = schedule.at, schedule.expire_at
    if at is not None and ends is not None:
        from notifyctl.lint.expiry import find_expiry_problem

        problem = find_expiry_problem(schedule, at, ends, timezone=timezone)
        if problem is not None:
            hint = "set `expireAt` later, or use `expireAfter: 4h`"
            yield times.EXPIRY_ORDER.broken(("expireAt",), problem, hint).at(schedule.positions)
    comparable = at is not None and ends is not None and (at.tzinfo is None) == (ends.tzinfo is None)
    if comparable and at is not None and ends is not None:
        far = ends - at > timedelta(days=MAX_EXPIRY_DAYS_SMS)
        if far and notification.channel is ChannelName.SMS and profile == times.EXPIRY_FAR.profile:
            message = f"it expires {(ends - at).days} days after it is due; the limit for an SMS is {MAX_EXPIRY_DAYS_SMS} days (profile 6.20)"
            yield times.EXPIRY_FAR.broken(("expireAt",), message, "set an earlier time").at(
                schedule.positions
            )
    validity = schedule.expire_after
    if (
        validity is not None
        and validity.total_seconds() > MAX_VALIDITY_SMS
        and notification.channel is ChannelName.SMS
        and profile == times.VALIDITY_LONG.profile
    ):
        message = f"it is valid for {validity.total_seconds() / 3600:,.0f} hours; the limit for an SMS is 72 hours (profile 6.20)"
        yield times.VALIDITY_LONG.broken(("expireAfter",), message, "use 72h or less").at(schedule.positions)
