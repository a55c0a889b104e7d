"""Compose every notification in every locale and check it against its channel, its variables and its audience's columns.

Returns the composed messages too, so that a plan does not compose them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from notifyctl.audience import SuppressionLists, open_audience
from notifyctl.audience.destination_rules import JudgedCopies, judge_copies, rules_of
from notifyctl.channels import CHANNELS
from notifyctl.diagnostics import Diagnostic, Problem, Severity, fix_severity
from notifyctl.errors import AbsentAudienceError, ProjectError
from notifyctl.lint.content_checks import check_words, is_clean
from notifyctl.lint.foreign_placeholders import KnownNames
from notifyctl.lint.gsm7 import check_alphabet
from notifyctl.lint.recipient_pass import check_recipients
from notifyctl.lint.synthetic_recipients import make_recipients
from notifyctl.lint.unused_declarations import (
    SANDBOX_SENDERS,
    check_unused,
    stand_in_notification,
    unbound_templates,
)
from notifyctl.lint.variables import check_variables
from notifyctl.message import VariantComposer, variants
from notifyctl.message.render_limits import SECONDS, OutOfTimeError, run_bounded
from notifyctl.model.message import Message
from notifyctl.model.project import Audience, Environment, Hours, Notification, Project
from notifyctl.ports import AudienceReader, Environ, FileTree


class Checked(Struct, frozen=True):
    """Composed messages and opened audiences of all notifications that have no problem of their own."""

    messages: Mapping[str, Mapping[str | None, Message]] = field(default_factory=dict)
    audiences: Mapping[str, AudienceReader] = field(default_factory=dict)
    copies: Mapping[str, JudgedCopies] = field(default_factory=dict)
    drafts: tuple[tuple[Notification, Mapping[str | None, Message]], ...] = ()
    """Every notification whose audience could be opened, with those variants that could be composed."""
    diagnostics: tuple[Diagnostic, ...] = ()
    stand_ins: frozenset[str] = frozenset()
    """Notifications whose audience is not here, with made-up people in its place."""


def check_project(
    project: Project,
    *,
    environment: Environment,
    files: FileTree,
    only: tuple[str, ...] = (),
    synthetic: bool = False,
    environ: Environ | None = None,
    suppressions: SuppressionLists | None = None,
    now: datetime | None = None,
    idle: bool = True,
) -> Checked:
    """All problems of all notifications (of `only` those, where it names some), as they would be sent from `environment`.
    `synthetic`: made-up people stand in for an audience that is not here, and always for a database where `environ`, which
    has its URL, is not given. `suppressions`: the lists, where somebody has them; `now`: when they are asked. `idle`:
    templates that wait for a notification too.
    """
    lists = suppressions or SuppressionLists(files, environ, region=project.region)
    problems = list(lists.problems((*project.suppressions, *environment.suppressions)))
    for schedule in project.schedules.values():
        from notifyctl.schedule.timing import check_schedule

        problems.extend(fix_severity(check_schedule(schedule)))
    if project.schedules or project.hours != Hours() or project.exempt:
        from notifyctl.lint.opening_hours import check_hours

        problems.extend(fix_severity(check_hours(project)))
    messages: dict[str, Mapping[str | None, Message]] = {}
    audiences: dict[str, AudienceReader] = {}
    copies: dict[str, JudgedCopies] = {}
    drafts: list[tuple[Notification, Mapping[str | None, Message]]] = []
    made_up: set[str] = set()
    for name, notification in project.notifications.items():
        if only and name not in only:
            continue
        problems.extend(lists.problems(notification.suppressions))
        rules = rules_of(lists, project, environment, notification, now)
        copies[name] = judge_copies(notification, rules)
        opened = partial(
            open_audience,
            files=files,
            suppressed=rules.suppressed,
            fence=rules.fence,
            fallback=rules.fallback,
            environ=environ,
        )
        unasked = environ is None and is_remote(notification.audience)
        try:
            reader = opened(notification.audience)
        except ProjectError as error:
            if not (synthetic or unasked) or not isinstance(error, AbsentAudienceError):
                problems.extend(fix_severity(error.diagnostics))
                continue
            stand_ins, found = make_recipients(notification, error)
            problems.extend(found)
            made_up.add(name)
            reader = open_audience(stand_ins, files, suppressed=frozenset(), fence=None)
        columns = tuple(reader.variables)
        composed, found = compose_all(
            project,
            notification,
            environment=environment,
            files=files,
            columns=columns,
            header=tuple(reader.header),
        )
        problems.extend(found)
        problems.extend(check_variables(notification, composed, columns))
        messages[name] = composed
        drafts.append((notification, composed))
        audiences[name] = reader
    if not only:
        problems.extend(check_unused(project))
    if idle and not only:
        for notification in map(stand_in_notification, unbound_templates(project)):
            problems.extend(
                compose_all(project, notification, environment=environment, files=files, columns=())[1]
            )
    return Checked(messages, audiences, copies, tuple(drafts), tuple(problems), frozenset(made_up))


def is_remote(audience: Audience) -> bool:
    """Whether its people are in a database that is no file."""
    return audience.source is not None and audience.source.url is not None


def compose_all(
    project: Project,
    notification: Notification,
    *,
    environment: Environment,
    files: FileTree,
    columns: tuple[str, ...],
    header: tuple[str, ...] = (),
) -> tuple[dict[str | None, Message], list[Diagnostic]]:
    """The message of each variant, and what is wrong with them. A variant that cannot be composed is left out. `header`: columns of
    the source that are no variables, too.
    """
    channel = CHANNELS[notification.channel]
    sender = sender_of(notification, environment)
    if sender is None:
        return {}, fix_severity([no_sender(notification, environment)])
    variables = {**project.vars, **environment.vars}
    composing = VariantComposer(
        notification, variables=variables, sender=sender, columns=columns, files=files
    )
    tried = [
        (variant, *composing.compose(variant, variant or project.locale))
        for variant in variants(notification.template)
    ]
    composed = {variant: message for variant, message, _ in tried if message is not None}
    known = known_names(notification, composed.values(), (*columns, *header))
    silent = is_clean(composed.values(), known)
    problems: list[Diagnostic] = []
    for variant, message, found in tried:
        problems.extend(fix_severity(found) if message is None else found)
        if message is None:
            continue
        broken = [] if silent else list(check_texts(message, known))
        broken += check_alphabet(message)
        if message.content is not None:
            broken = channel.check(message.content, message.options, profile=environment.profile) + broken
        for problem in broken:
            place, named_at = composing.locate(variant, problem, message)
            problems.append(replace(problem.at_location(place), named_at=named_at))
    return composed, problems


def known_names(
    notification: Notification, messages: Iterable[Message], columns: tuple[str, ...]
) -> KnownNames:
    """The columns of the audience, and the variables of the notification, its template and its texts."""
    audience = notification.audience
    declared = (variable.name for variable in notification.template.variables or ())
    used = (name for message in messages for name in message.names)
    mapped = (*audience.columns.values(), *(audience.substitutions or {}).values())
    return KnownNames(
        {
            notification.channel.address_field,
            *columns,
            *mapped,
            *declared,
            *notification.substitutions,
            *used,
        }
    )


def compose_former(
    project: Project,
    notification: Notification,
    messages: Mapping[str | None, Message],
    *,
    environment: Environment,
    files: FileTree,
    columns: tuple[str, ...],
) -> dict[str | None, Message]:
    """The messages that earlier versions made of the same files, where they differ from `messages`."""
    sender = sender_of(notification, environment)
    if sender is None:
        return {}
    composing = VariantComposer(
        notification,
        variables={**project.vars, **environment.vars},
        sender=sender,
        columns=columns,
        files=files,
        former=True,
    )
    composed = {variant: composing.compose(variant, variant or project.locale)[0] for variant in messages}
    return {
        variant: message
        for variant, message in composed.items()
        if message is not None and message != messages[variant]
    }


def check_texts(message: Message, known: KnownNames) -> Iterator[Problem]:
    """Bounded, because broken markup can keep a parser busy for hours."""
    if "html" not in (message.content or {}):
        yield from check_words(message, known)
        return
    try:
        with run_bounded():
            found = list(check_words(message, known))
    except (OutOfTimeError, MemoryError):
        problem = f"checking this text takes more than {SECONDS:g} seconds, or too much memory; check for unclosed markup"
        yield Problem(("content",), "template-limit", problem)
    else:
        yield from found


def check_all_recipients(
    project: Project, checked: Checked, *, environment: Environment, every: bool
) -> Iterator[Diagnostic]:
    """The messages that could be composed whole, for each of their readers."""
    for name, messages in checked.messages.items():
        notification = project.notifications[name]
        if len(messages) == 1 + len(notification.template.locales):
            try:
                yield from check_recipients(
                    notification,
                    messages,
                    checked.audiences[name],
                    environment=environment,
                    locale=project.locale,
                    timezone=project.timezone,
                    every=every,
                )
            except ProjectError as error:  # its source breaks off
                yield from error.diagnostics


def sender_of(notification: Notification, environment: Environment) -> str | None:
    given = notification.sender or environment.senders.get(notification.channel)
    return given or (SANDBOX_SENDERS[notification.channel] if environment.is_sandbox else None)


def no_sender(notification: Notification, environment: Environment) -> Diagnostic:
    return Diagnostic(
        "no-sender",
        Severity.ERROR,
        f"notification `{notification.name}` has no sender for {notification.channel} in environment `{environment.name}`",
        notification.positions.location(),
        hint=f"add `from:` here, or `senders: {{{notification.channel}: …}}` in the environment",
    )
