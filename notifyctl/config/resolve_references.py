"""Links documents into one project: checks that names are unique, resolves references and applies limits.

An invalid document is left out, but its name still counts as declared, so that a mistake is reported only once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from notifyctl.config import model_builder
from notifyctl.config.check import check, locate_problems
from notifyctl.config.fields import ChannelShape
from notifyctl.config.messages import suggest_name
from notifyctl.config.model_builder import pick_fields
from notifyctl.config.nodes import MappingNode
from notifyctl.diagnostics import Diagnostic, Path, Positions, Problem, Severity
from notifyctl.model.project import (
    Audience,
    Category,
    Hours,
    Joiners,
    Notification,
    OnUnknown,
    Policy,
    Project,
    Schedule,
    Template,
)
from notifyctl.rulebook import email, envelope, receipts, sms

Named = TypeVar("Named", Template, Audience, Schedule)

MAX_HINTS = 100
"""Maximum number of dangling references for which a nearest name is suggested."""

CHANNEL_KEYS = {
    "cc": ("email", email.COPIES),
    "bcc": ("email", email.COPIES),
    "smartlinks": ("sms", sms.SMARTLINKS),
    "batchId": ("sms", envelope.KEY_OF_CHANNEL),
    "multipleToRecipients": ("email", envelope.KEY_OF_CHANNEL),
}
"""Notification key → the only channel that supports it, and the rule (rules 2, 65, 78)."""


class Document(Struct, frozen=True):
    """A document that has been read and checked. `name` is None for kinds without names; `node` is kept for
    notifications only.

    `sound`: the document by itself has no problems. Otherwise `values` may be incomplete, and `flaws` are the paths
    of the reported problems.
    """

    kind: str
    name: str | None
    node: MappingNode
    values: Mapping[str, Any]
    positions: Positions
    sound: bool
    flaws: frozenset[Path] = frozenset()


class DeclaredNames(Struct, frozen=True):
    """All declared names by kind, including those of invalid documents."""

    known: Mapping[str, Sequence[str]]
    unread: Sequence[str] = ()
    """Files that could not be read completely and may declare more names."""
    not_found: list[str] = field(default_factory=list)
    """Names that were looked up and not found."""

    def unknown_reference(self, kind: str, name: str, path: tuple[str, ...]) -> Problem:
        known = self.known.get(kind, ())
        self.not_found.append(name)
        hint = f"the project defines no {kind.lower()}"
        if known:
            # Searching similar names is slow if there are many of both.
            candidates = known if len(self.not_found) <= MAX_HINTS else ()
            hint = suggest_name(name, candidates, "defined") if candidates else f"{len(known):,} defined"
        if self.unread:
            others = len(self.unread) - 1
            more = f" or {others:,} other {'file' if others == 1 else 'files'}" if others else ""
            hint += f" (it may be in {self.unread[0]}{more}, which cannot be read)"
        return Problem(path, "unknown-reference", f"unknown {kind.lower()} `{name}`", hint)


def resolve_references(
    project: Project,
    documents: Sequence[Document],
    channels: Sequence[ChannelShape],
    *,
    unread: Sequence[str] = (),
) -> tuple[Project, list[Diagnostic]]:
    """Returns the project with all valid documents, and the problems between documents."""
    problems = list(find_duplicates(documents))
    names = DeclaredNames(group_names(documents), unread)
    sound = [document for document in documents if document.sound]
    project = replace(
        project,
        templates=build_by_name(sound, "Template", model_builder.build_template),
        audiences=build_by_name(sound, "Audience", model_builder.build_audience),
        schedules=build_by_name(sound, "Schedule", model_builder.build_schedule),
    )
    notifications: dict[str, Notification] = {}
    for document in select_kind(documents, "Notification"):
        link_problems = [*reference_problems(document, names), *channel_problems(document, project, channels)]
        unreported = (problem for problem in link_problems if problem.path not in document.flaws)
        problems += locate_problems(unreported, document.node, document.positions)
        notification = (
            resolve_notification(document, project) if document.sound and not link_problems else None
        )
        if notification is not None:
            notifications.setdefault(notification.name, notification)
    incomplete = len(notifications) < sum(1 for _ in select_kind(documents, "Notification")) or any(
        each.kind == "" for each in documents
    )
    problems.extend(check_statements(sound, names))
    problems.extend(check_editions(sound, names, notifications))
    return replace(
        project,
        notifications=notifications,
        incomplete=incomplete or bool(unread),
        moved=tuple(
            model_builder.build_moved(each.values, each.positions) for each in select_kind(sound, "Moved")
        ),
        baselines=tuple(
            model_builder.build_baseline(each.values, each.positions)
            for each in select_kind(sound, "Baseline")
        ),
        withdrawals=tuple(
            model_builder.build_withdraw(each.values, each.positions)
            for each in select_kind(sound, "Withdraw")
        ),
    ), problems


def select_kind(documents: Sequence[Document], kind: str) -> Iterator[Document]:
    return (document for document in documents if document.kind == kind)


def group_names(documents: Sequence[Document]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for document in documents:
        if document.name is not None:
            names.setdefault(document.kind, []).append(document.name)
    return names


def find_duplicates(documents: Sequence[Document]) -> Iterator[Diagnostic]:
    first: dict[tuple[str, str], Document] = {}
    for document in documents:
        name = document.values["from"] if document.kind == "Moved" and document.sound else document.name
        if name is None or document.kind in ("", "Project"):  # `load` checks the Project document
            continue
        earlier = first.setdefault((document.kind, name), document)
        if earlier is not document:
            moved = document.kind == "Moved"
            key, what = ("from", "Moved document for") if moved else ("name", document.kind.lower())
            yield Diagnostic(
                "duplicate-name",
                Severity.ERROR,
                f"duplicate {what} `{name}`, first defined at {earlier.positions.location(key)}",
                document.positions.location(key),
                "names must be unique within a kind; rename one of them",
            )


def build_by_name(
    documents: Sequence[Document], kind: str, build: Callable[[str, Mapping[str, Any], Positions], Named]
) -> dict[str, Named]:
    """Builds the valid documents of a kind, by name. Of duplicates, the first one wins."""
    objects: dict[str, Named] = {}
    for document in select_kind(documents, kind):
        if document.name is not None and document.name not in objects:
            objects[document.name] = build(document.name, document.values, document.positions)
    return objects


# -- notifications ------------------------------------------------------------------------------------------------


REFERENCES = (("template", "Template"), ("audience", "Audience"), ("schedule", "Schedule"))


def reference_problems(document: Document, names: DeclaredNames) -> Iterator[Problem]:
    for key, kind in REFERENCES:
        name = document.values.get(key)
        if isinstance(name, str) and name not in names.known.get(kind, ()):
            yield names.unknown_reference(kind, name, (key,))


def resolve_notification(document: Document, project: Project) -> Notification | None:
    """Returns the notification, or None if it refers to an invalid document."""
    template = resolve_part(document, "template", project.templates, model_builder.build_template)
    audience = resolve_part(document, "audience", project.audiences, model_builder.build_audience)
    schedule = project.schedules.get(document.values.get("schedule", ""))
    if template is None or audience is None or ("schedule" in document.values and schedule is None):
        return None
    if audience.region is None:
        audience = replace(audience, region=project.region)
    schedule = add_project_hours(schedule, template.category, project)
    return build_notification(document, template, audience, schedule=schedule, policy=project.policy)


def add_project_hours(schedule: Schedule | None, category: Category, project: Project) -> Schedule | None:
    """The schedule of a notification with the hours of the project's defaults, unless its category is exempt."""
    if project.hours == Hours() or category in project.exempt:
        return schedule
    if schedule is None:
        schedule = Schedule("", project.positions.nested("defaults"))
    return replace(schedule, project_hours=project.hours)


def resolve_part(
    document: Document,
    key: str,
    known: Mapping[str, Named],
    build: Callable[[str, Mapping[str, Any], Positions], Named],
) -> Named | None:
    """Returns the object that `key` names, or builds the inline object under the notification's own name."""
    value = document.values[key]
    if isinstance(value, str):
        return known.get(value)
    return build(document.name or "", value, document.positions.nested(key))


def find_channel(
    document: Document, project: Project, channels: Sequence[ChannelShape]
) -> ChannelShape | None:
    """Returns the channel of the notification's template, or None if unknown."""
    template = document.values.get("template")
    if isinstance(template, str):
        referenced = project.templates.get(template)
        name = referenced.channel if referenced else None
    else:
        name = (template or {}).get("channel")
    return next((channel for channel in channels if channel.name == name), None)


def channel_problems(
    document: Document, project: Project, channels: Sequence[ChannelShape]
) -> Iterator[Problem]:
    """Yields problems of keys, receipts and options that the template's channel does not support."""
    channel = find_channel(document, project, channels)
    if channel is None:
        return
    for key, (only, rule) in CHANNEL_KEYS.items():
        if key in document.values and channel.name != only:
            message = f"`{key}` is for {only}; the channel of the template is {channel.name}"
            yield replace(rule.broken((key,), message, f"remove `{key}`"), at_key=True)
    requested: dict[str, str] = {}
    for index, receipt in enumerate(document.values.get("requestedReceipts") or ()):
        if isinstance(receipt, str) and receipt.casefold() not in channel.receipts:
            message = f'"{receipt}" is not a receipt of {channel.name}'
            hint = suggest_name(receipt, channel.receipts, "receipts")
            yield receipts.OF_CHANNEL.broken(("requestedReceipts", index), message, hint)
        elif isinstance(receipt, str):
            first = requested.get(receipt.casefold())
            if first is not None:
                message = f'"{receipt}" is the same receipt as "{first}"'
                yield receipts.TWICE.broken(("requestedReceipts", index), message, "remove one of them")
            requested[receipt.casefold()] = receipt
    options = document.node.get("options")
    if options is not None:
        _, problems = check(replace(channel.options, partial=True), options)
        yield from (replace(problem, path=("options", *problem.path)) for problem in problems)


def build_notification(
    document: Document, template: Template, audience: Audience, *, schedule: Schedule | None, policy: Policy
) -> Notification:
    values = document.values
    return Notification(
        name=document.name or "",
        template=template,
        audience=audience,
        positions=document.positions,
        schedule=schedule,
        requested_receipts=tuple(values.get("requestedReceipts", ())),
        joiners=Joiners(values.get("joiners", Joiners.HOLD)),
        on_unknown=OnUnknown(values.get("onUnknown", OnUnknown.HOLD)),
        policy=narrow_policy(policy, values.get("limits", {})),
        suppressions=model_builder.build_suppressions(values, document.positions),
        cc=tuple(values["cc"]) if "cc" in values else None,
        bcc=tuple(values["bcc"]) if "bcc" in values else None,
        smartlinks=tuple(values.get("smartlinks", ())),
        **pick_fields(values, edition="edition", sender="from", substitutions="substitutions"),
        **pick_fields(values, priority="priority", options="options", acknowledge="acknowledge"),
        **pick_fields(values, callback_data="callbackData", notify_url="notifyUrl"),
        **pick_fields(values, notify_url_auth_id="notifyUrlAuthId", contact_policy="contactPolicy"),
        **pick_fields(values, batch_id="batchId", multiple_to_recipients="multipleToRecipients"),
    )


def narrow_policy(policy: Policy, limits: Mapping[str, Any]) -> Policy:
    """Combines the project's policy with a notification's limits: the smaller numbers, and all categories of both."""
    limits_policy = model_builder.build_policy(limits)
    added = [each for each in limits_policy.require_unsubscribe if each not in policy.require_unsubscribe]
    return Policy(
        max_recipients=smaller_limit(policy.max_recipients, limits.get("maxRecipients")),
        max_growth_percent=smaller_limit(policy.max_growth_percent, limits.get("maxGrowthPercent")),
        max_segments=smaller_limit(policy.max_segments, limits.get("maxSegments")),
        max_rejected_percent=smaller_limit(policy.max_rejected_percent, limits.get("maxRejectedPercent")),
        require_unsubscribe=(*policy.require_unsubscribe, *added),
    )


def smaller_limit(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)


# -- statements about the past ------------------------------------------------------------------------------------


def check_statements(documents: Sequence[Document], names: DeclaredNames) -> Iterator[Diagnostic]:
    """Checks that each statement names a notification that exists, possibly after following Moved documents."""
    present = set(names.known.get("Notification", ()))
    steps = {each.values["from"]: each.values["to"] for each in select_kind(documents, "Moved")}
    for document in documents:
        if document.kind == "Moved" and document.values["from"] in present:
            message = f"notification `{document.values['from']}` still exists, so it was not renamed"
            problem = Problem(
                ("from",),
                "invalid-value",
                message,
                "`from` must be a name that no notification has; remove one of the two",
            )
            yield problem.at(document.positions)
        key = {"Moved": "to", "Baseline": "notification", "Withdraw": "notification"}.get(document.kind)
        if key is not None and follow_moves(document.values[key], steps, present) is None:
            yield names.unknown_reference("Notification", document.values[key], (key,)).at(document.positions)


def check_editions(
    documents: Sequence[Document], names: DeclaredNames, notifications: Mapping[str, Notification]
) -> Iterator[Diagnostic]:
    """Checks that a Baseline or Withdraw document is about an edition that exists, or did."""
    present = set(names.known.get("Notification", ()))
    steps = {each.values["from"]: each.values["to"] for each in select_kind(documents, "Moved")}
    for document in documents:
        if document.kind not in {"Baseline", "Withdraw"}:
            continue
        current = notifications.get(follow_moves(document.values["notification"], steps, present) or "")
        edition = document.values.get("edition")
        if current is None or edition == current.edition:
            continue
        at = f"notification `{current.name}` is at edition {current.edition}"
        if edition is not None and edition > current.edition:
            message = f"unknown edition {edition}: {at}"
            hint = f"set `edition: {current.edition}`, which is the current one"
            yield Problem(("edition",), "unknown-reference", message, hint).at(document.positions)
        elif edition is None and current.edition > 1:
            message = f"without `edition` this {document.kind} is about edition 1, but {at}"
            hint = f"set `edition: {current.edition}`, or `edition: 1` if an earlier apply recorded it"
            yield Problem(("notification",), "statement-without-effect", message, hint, Severity.WARNING).at(
                document.positions
            )


def follow_moves(name: str, steps: Mapping[str, str], present: set[str]) -> str | None:
    """Returns the current name of a notification by following Moved documents, or None."""
    seen: set[str] = set()
    while name not in present:
        if name in seen or name not in steps:
            return None
        seen.add(name)
        name = steps[name]
    return name
