"""The use case of `accept`: record that a series may be sent without being asked for, until when, and to how many at most."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.app.acceptance.identity import sign_statement
from notifyctl.app.acceptance.second_person import Verdict, check_acceptance
from notifyctl.app.apply import find_store, refuse_foreign_plan
from notifyctl.app.ledger import actor_of, facts_of, holder
from notifyctl.app.plan import make_plan
from notifyctl.app.plan_file import read_plan_file
from notifyctl.app.workspace import Workspace
from notifyctl.command_line import command_line
from notifyctl.errors import LedgerError, PlanRefusedError, ProjectError, UsageError
from notifyctl.git import current_revision
from notifyctl.model.accept_statement import AcceptStatement
from notifyctl.model.acceptance import Acceptance, Identity, Proof
from notifyctl.model.project import Environment, Notification
from notifyctl.plan.actions import AUTHORISED
from notifyctl.plan.model import Plan, PlannedNotification
from notifyctl.plan.saved import SavedPlan
from notifyctl.plan.series import SERIES_PREFIX, Accepted, Series, different_parts, most_by_default
from notifyctl.schedule.zones import to_instant
from notifyctl.views.reasons import spell_out


class Draft(Struct, frozen=True):
    """What would be accepted. `people`: recipients of the next occurrence, as of today."""

    statement: AcceptStatement
    people: int


def accept(
    workspace: Workspace,
    environment: Environment,
    given: str,
    *,
    until: str,
    max_recipients: int | None = None,
    signature: bytes | None = None,
    key_file: Path | None = None,
    base: str | None = None,
) -> list[Accepted]:
    """Accepts the series of a plan file, or the one with a fingerprint. `until` as `parse_until` reads it; `max_recipients`: of one
    occurrence, None: today's, and as many more as `maxGrowthPercent` allows. `signature`: of its statement, else `key_file`: a private key
    to sign with, else who accepts is proven or claimed as app.identity tells. `base` as in check_acceptance.

    Raises UsageError for what does not recur, PlanRefusedError for what is another series now, AcceptanceRefusedError if
    `policy.accept` asks for another person, ProjectError for a notification that a limit blocks, and LedgerError, LedgerLockedError.
    """
    store = find_store(workspace, environment)
    wanted, before = draft(workspace, environment, given, until=until, max_recipients=max_recipients)
    if signature is not None and len(wanted) > 1:
        raise one_at_a_time(wanted)
    found = []
    for each in wanted:
        own = sign_statement(each.statement, key_file) if key_file is not None else signature
        verdict = check_acceptance(
            workspace, environment, each.statement, acceptances=before, signature=own, base=base
        )
        found.append(
            Accepted(acceptance_of(each.statement, verdict, workspace), each.people, tuple(verdict.changes))
        )
    if not store.exists():
        store.create()
    with store.writer(
        holder(), revision=current_revision(workspace.root), actor=actor_of(workspace)
    ) as writer:
        if len(writer.acceptances()) != len(before):
            raise LedgerError(
                "another acceptance was recorded in the meantime; nothing was accepted",
                hint="run the command again",
            )
        for accepted in found:
            writer.record_acceptance(accepted.acceptance)
    return found


def statement_of(
    workspace: Workspace,
    environment: Environment,
    given: str,
    *,
    until: str,
    max_recipients: int | None = None,
) -> AcceptStatement:
    """What is to be signed to accept one series. Raises as `accept` does."""
    wanted, _ = draft(workspace, environment, given, until=until, max_recipients=max_recipients)
    if len(wanted) > 1:
        raise one_at_a_time(wanted)
    return wanted[0].statement


def draft(
    workspace: Workspace,
    environment: Environment,
    given: str,
    *,
    until: str,
    max_recipients: int | None,
) -> tuple[list[Draft], Sequence[Acceptance]]:
    """What is to be accepted, and all acceptances until now."""
    project = workspace.sound
    ends = parse_until(until, project.timezone)
    if ends <= workspace.clock.now():
        raise UsageError(f"--until {until} is past; nothing was accepted")
    plan = make_plan(workspace, environment)
    if not plan.applyable:
        raise ProjectError(
            "the plan has errors; nothing was accepted", hint=f"to list them, run: {command_line('plan')}"
        )
    wanted = find_wanted(workspace, environment, given, plan)
    with facts_of(workspace, environment) as facts:
        before, ledger = facts.acceptances or (), facts.lineage
    found = []
    for series in wanted:
        people = people_of(plan, series)
        notification = project.notifications[series.name]
        statement = AcceptStatement(
            fingerprint=series.fingerprint,
            notification=series.name,
            edition=series.edition,
            channel=series.channel,
            environment=environment.name,
            ledger=ledger or "",
            until=ends,
            max_recipients=limit_of(notification, people, max_recipients),
            earlier=sum(each.fingerprint == series.fingerprint for each in before),
        )
        found.append(Draft(statement, people))
    return found, before


def acceptance_of(statement: AcceptStatement, verdict: Verdict, workspace: Workspace) -> Acceptance:
    return Acceptance(
        fingerprint=statement.fingerprint,
        notification=statement.notification,
        edition=statement.edition,
        channel=statement.channel,
        until=statement.until,
        max_recipients=statement.max_recipients,
        who=verdict.identity,
        rule=workspace.sound.policy.accept,
        revision=verdict.revision,
        at=workspace.clock.now(),
    )


def one_at_a_time(wanted: Sequence[Draft]) -> UsageError:
    listed = "\n  ".join(f"{each.statement.notification}: {each.statement.fingerprint}" for each in wanted)
    return UsageError(
        f"a signature is for one series, and {len(wanted):,} are given; nothing was accepted\n  {listed}",
        hint="accept them one by one, by their fingerprints, or sign all of them with --sign KEYFILE",
    )


def revoke(workspace: Workspace, environment: Environment, given: str) -> list[Accepted]:
    """Takes acceptances back: of a fingerprint, current or not, or of the series of a plan file. Raises UsageError if there is none."""
    store, now = find_store(workspace, environment), workspace.clock.now()
    with facts_of(workspace, environment) as facts:
        last = {each.fingerprint: each for each in facts.acceptances or ()}
    saved = read_given(given)
    if saved is not None:
        refuse_foreign_plan(saved, workspace, environment)
    names = [given] if saved is None else [each.fingerprint for each in saved.typed.series or ()]
    standing = [last[name] for name in names if name in last and not last[name].revoked]
    if not standing:
        raise UsageError(
            f"no acceptance of {shown(given)} is recorded in `{environment.name}`; nothing was revoked",
            hint=f"to list acceptances, run: {command_line('status')}",
        )
    who = identity_of(workspace)
    revoked = [
        replace(each, who=who, at=now, revoked=True, revision=current_revision(workspace.root))
        for each in standing
    ]
    with store.writer(
        holder(), revision=current_revision(workspace.root), actor=actor_of(workspace)
    ) as writer:
        for each in revoked:
            writer.record_acceptance(each)
    return [Accepted(each) for each in revoked]


def identity_of(workspace: Workspace) -> Identity:
    return Identity(actor_of(workspace), Proof.CLAIMED)


UNTIL = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)


def parse_until(value: str, timezone: str) -> datetime:
    """A day, to its end in the project's time zone, or a time, there or with an offset. Raises UsageError."""
    day = len(value) == len("YYYY-MM-DD")
    try:
        # Python reads other forms too, such as 20261231, which would be the beginning of that day.
        found = datetime.fromisoformat(value if UNTIL.fullmatch(value) else "")
        return to_instant(found + timedelta(days=1) if day else found, timezone)
    except (ValueError, OverflowError):
        raise UsageError(
            f'"{value}" is not a valid date; use YYYY-MM-DD, for example 2026-12-31, or a time, for example 2026-12-31T18:00'
        ) from None


# Which series is meant


def find_wanted(workspace: Workspace, environment: Environment, given: str, plan: Plan) -> list[Series]:
    """The series to accept, each as it is now."""
    saved = read_given(given)
    if saved is None:
        return [find_by_fingerprint(workspace, environment, given, plan)]
    refuse_foreign_plan(saved, workspace, environment)
    reviewed = saved.typed.series
    if reviewed is None:
        raise PlanRefusedError(
            "the plan file was made by an earlier version, which has no series; nothing was accepted",
            hint=f"to make a new plan, run: {command_line('plan', '--out', 'FILE')}",
        )
    if not reviewed:
        raise UsageError(
            "nothing in the plan recurs, so there is nothing to accept",
            hint=f"to send it, run: {command_line('apply', given)}",
        )
    current = {each.name: each for each in plan.series}
    changed = []
    for each in reviewed:
        now = current.get(each.name)
        if now is None:
            changed.append(f"{each.name}: does not recur any more, or is not defined")
        elif now.fingerprint != each.fingerprint:
            parts = ", ".join(different_parts(each.parts, now.parts)) or "unknown"
            changed.append(f"{each.name}: {each.fingerprint} → {now.fingerprint}; what differs: {parts}")
    if changed:
        raise PlanRefusedError(
            "the project has changed since the plan was made; nothing was accepted\n  "
            + "\n  ".join(changed),
            hint=f"to make a new plan for review, run: {command_line('plan', '--out', 'FILE')}",
        )
    return [current[each.name] for each in reviewed]


def read_given(given: str) -> SavedPlan | None:
    """The plan file of this name; None if it is a fingerprint. Raises UsageError if it can be neither."""
    if given.startswith(SERIES_PREFIX):
        return None
    file = Path(given)
    if given.startswith("sha256:") and not file.exists():
        raise UsageError(
            "that is the digest of a plan, which is sent once; a series has a fingerprint that begins with `s1:`",
            hint=f"to see the fingerprints, run: {command_line('plan')}",
        )
    return read_plan_file(file) if file.exists() else None


def find_by_fingerprint(workspace: Workspace, environment: Environment, given: str, plan: Plan) -> Series:
    for each in plan.series:
        if each.fingerprint == given:
            return each
    if not given.startswith(SERIES_PREFIX):
        raise not_a_series(workspace, given, plan)
    with facts_of(workspace, environment) as facts:
        known = next((each for each in facts.acceptances or () if each.fingerprint == given), None)
    if known is not None:
        now = next((each for each in plan.series if each.name == known.notification), None)
        present = f"which is {now.fingerprint} now" if now is not None else "which does not recur any more"
        raise PlanRefusedError(
            f"{shown(given)} was `{known.notification}` (edition {known.edition}), {present}; nothing was accepted",
            hint=f"review the new plan; to accept it, run: {command_line('accept', now.fingerprint, '--until', 'YYYY-MM-DD')}"
            if now is not None
            else None,
        )
    present = "\n  ".join(f"{each.name}: {each.fingerprint}" for each in plan.series)
    raise PlanRefusedError(
        f"no series of `{environment.name}` has the fingerprint {shown(given)}; nothing was accepted"
        + (f"\n  {present}" if present else "; nothing recurs in this project"),
        hint=f"review the plan, and accept the fingerprint that it shows: {command_line('plan')}",
    )


def not_a_series(workspace: Workspace, given: str, plan: Plan) -> UsageError:
    """Of what is neither a fingerprint nor a file; perhaps it is the name of a notification."""
    series = next((each for each in plan.series if each.name == given), None)
    if series is not None:
        return UsageError(
            f"`{given}` is a notification; accept its series by the fingerprint that you reviewed",
            hint=f"review the plan; to accept it, run: {command_line('accept', series.fingerprint, '--until', 'YYYY-MM-DD')}",
        )
    if given in workspace.sound.notifications:
        return UsageError(
            f"`{given}` does not recur, so there is nothing to accept",
            hint=f"to send it, run: {command_line('apply', '--only', given)}",
        )
    return UsageError(
        f"{shown(given)} is neither a plan file nor the fingerprint of a series",
        hint=f"to see the fingerprints, run: {command_line('plan')}",
    )


def shown(given: str) -> str:
    """What was given, on one line and not too long."""
    return f'"{"".join(each for each in given if each.isprintable())[:80]}"'


# How many


def people_of(plan: Plan, series: Series) -> int:
    """Recipients of the next occurrence, as of today. Raises ProjectError if a limit blocks it."""
    occurrences = list(occurrences_of(plan, series))
    for each in occurrences:
        if each.blocked_by is not None:
            raise ProjectError(
                f"`{series.name}` is blocked: {spell_out(each.blocked_by)}; nothing was accepted",
                hint=f"to see the plan, run: {command_line('plan')}",
            )
    to_come = [each for each in occurrences if any(each.actions.get(action) for action in AUTHORISED)]
    found = next(iter(to_come or occurrences[-1:]), None)
    return found.people if found is not None else 0


def occurrences_of(plan: Plan, series: Series) -> Iterator[PlannedNotification]:
    """In the order in which they are due; the preview of the next one is the last."""
    key = (series.name, series.edition, series.channel)
    yield from (each for each in plan.notifications if (each.name, each.edition, each.channel) == key)
    for upcoming in plan.upcoming:
        if upcoming.name == series.name and upcoming.preview is not None:
            yield upcoming.preview


def limit_of(notification: Notification, people: int, max_recipients: int | None) -> int:
    if max_recipients is not None:
        return max_recipients
    if not people:
        raise UsageError(
            f"`{notification.name}` has no recipients today, so its limit cannot follow from them; nothing was accepted",
            hint="state the most recipients of an occurrence: --max-recipients N",
        )
    assert notification.policy is not None, "resolving references fills the policy in"
    return most_by_default(people, notification.policy)
