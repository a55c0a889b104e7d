"""The use case of `apply`: lock, derive again, compare with what was reviewed, send. The dry run walks the same list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.app.account import account_of, refuse_other_account
from notifyctl.app.ledger import (
    actor_of,
    external_key,
    facts_from,
    facts_of,
    holder,
    ledger_name,
    ledger_store,
    no_ledger,
    refuse_unmarked,
)
from notifyctl.app.opt_outs import OptOutWatcher
from notifyctl.app.plan import derive, make_plan, provider_identity
from notifyctl.app.providers import open_provider, prepare_only
from notifyctl.app.workers.campaign import follow, hand_over, workers_ledger
from notifyctl.app.workspace import Workspace, revision_of
from notifyctl.apply.run import Event, Job, Report, Stop, dry_run, run
from notifyctl.command_line import command_line
from notifyctl.errors import PlanRefusedError, ProjectError, UsageError
from notifyctl.model.batch import Batch, PreparedRequest
from notifyctl.model.campaign import CampaignOptions
from notifyctl.model.events import Statement, StatementKind
from notifyctl.model.project import Environment
from notifyctl.model.recipients import Scope
from notifyctl.plan.actions import Action
from notifyctl.plan.missed import missed_notice
from notifyctl.plan.model import Plan
from notifyctl.plan.saved import SavedPlan, find_excess, refuse_unsealed
from notifyctl.plan.statuses import MEMBER
from notifyctl.ports import LedgerWriter
from notifyctl.schedule.moments import format_time

if TYPE_CHECKING:
    from notifyctl.app.ledger import Store

CLOCK_DIFFERENCE = timedelta(minutes=15)
"""By which the clocks of two machines may differ."""
Confirm = Callable[[Plan], bool]
"""Shows a plan to a person and asks; returns False if they decline."""


class Applied(Struct, frozen=True):
    """The result of an apply. `report` is None if the plan had nothing to send."""

    plan: Plan
    report: Report | None


def apply(
    workspace: Workspace,
    environment: Environment,
    *,
    only: tuple[str, ...] = (),
    saved: SavedPlan | None = None,
    expect: str | None = None,
    accepted_only: bool = False,
    confirm: Confirm | None = None,
    on_plan: Callable[[Plan], None],
    on_event: Callable[[Event], None],
    stop: Stop,
    by_workers: bool = False,
) -> Applied:
    """Sends what the plan says. `confirm` is None where nobody can be asked; then `expect` must name the digest.

    `saved` limits the run to that plan, which is used once: applied again, it sends only to recipients that were
    never attempted. `accepted_only`: sends what an acceptance in the ledger lets go, and asks nobody; all else is blocked in the plan.
    `on_plan` is called with the plan that will be applied. `by_workers`: workers send it, and are followed until they are done.

    Raises PlanRefusedError for another digest, UsageError if neither digest nor person confirms, and LedgerError,
    LedgerLockedError, ProjectError, SettingsError; with `by_workers` also HaltedError and InterruptedRunError.
    """
    if accepted_only and (saved is not None or expect is not None):
        raise UsageError("what is accepted is sent without a plan file and without --expect")
    store = find_store(workspace, environment)
    shared = workers_ledger(store, environment) if by_workers else None
    most = None
    if saved is not None:
        check_saved_plan(saved, workspace, environment, expect)
    if expect is None and not environment.is_sandbox and not accepted_only:
        # Ask before taking the lock: a prompt must not keep others from sending.
        shown = refuse_errors(make_plan(workspace, environment, only=only), on_plan)
        if not (shown.has_effect or shown.missed):
            return Applied(shown, None)
        refuse_unconfirmed(shown, environment, confirm, digest=saved.digest if saved else shown.digest)
        expect, most = shown.digest, shown.sends
    if not store.exists():
        store.create()
    actor = actor_of(workspace)
    with store.writer(holder(), revision=revision_of(workspace), actor=actor) as writer:
        account = account_of(workspace, environment, writer.code)
        refuse_other_account(account, known=writer.account(), saved=saved, environment=environment)
        again = saved is not None and writer.plan_used(saved.id)
        extent = writer.extent() if by_workers else None
        facts = facts_from(writer.within(extent) if extent is not None else writer)
        opted_out = OptOutWatcher(workspace, environment, facts)
        plan = derive(
            workspace,
            environment,
            facts,
            only=only,
            fresh_only=again,
            suppressions=opted_out.lists,
            accepted_only=accepted_only,
        )
        if saved is not None:
            check_against_review(saved, plan, again=again)
        refuse_unexpected(plan, expect if saved is None else None, most=most)
        refuse_errors(plan, on_plan)
        record_decisions(workspace, plan, writer, who=actor)
        record_missed(workspace, plan, writer)
        if saved is not None and plan.has_effect:
            writer.use_plan(saved.id, at=workspace.clock.now())
        if not plan.send_groups:
            return Applied(plan, None)
        writer.use_account(account, at=workspace.clock.now())
        job = build_job(workspace, environment, plan)
        if shared is None:
            here = replace(job, opted_out=opted_out)
            return Applied(
                plan, send_here(workspace, environment, store, writer, here, on_event=on_event, stop=stop)
            )
        options = CampaignOptions(only, again, accepted_only, extent)
        campaign = hand_over(workspace, environment, shared, writer, job, plan, options, on_event=on_event)
    report = follow(workspace, shared, campaign, job, on_event=on_event, stop=stop)
    return Applied(plan, report)


def send_here(
    workspace: Workspace,
    environment: Environment,
    store: Store,
    writer: LedgerWriter,
    job: Job,
    *,
    on_event: Callable[[Event], None],
    stop: Stop,
) -> Report:
    """Sends the job from this process."""
    with open_provider(workspace, environment) as provider:
        report = run(
            job,
            writer=writer,
            provider=provider,
            clock=workspace.clock,
            on_event=on_event,
            stop=stop,
            keep=store.keep,
        )
    if report.interrupted:
        writer.note_interrupted()
    return report


def find_store(workspace: Workspace, environment: Environment) -> Store:
    """The ledger's place. Raises LedgerError if there is none where one must be, and SettingsError where no mark can be kept."""
    store = ledger_store(workspace, environment)
    if not store.exists() and not environment.is_sandbox:
        store.refuse_lost()
        raise no_ledger(environment, planning=False)
    refuse_unmarked(workspace, environment)
    return store


def check_saved_plan(
    saved: SavedPlan, workspace: Workspace, environment: Environment, expect: str | None
) -> None:
    """Checks a saved plan before anything is begun. Raises PlanRefusedError."""
    if expect is not None and expect != saved.digest:
        raise PlanRefusedError(
            f"the plan file does not match --expect; nothing was sent\n  expected {expect}\n"
            f"  the file {saved.digest}",
            hint="pass the digest that `notifyctl show` prints for this file",
        )
    refuse_foreign_plan(saved, workspace, environment)
    refuse_other_time(saved, workspace)
    if workspace.clock.now() >= saved.valid_until:
        raise PlanRefusedError(
            f"the plan expired at {format_time(saved.valid_until, workspace.sound.timezone)}; nothing was sent",
            hint=f"to make a new plan, run: {command_line('plan', '--out', 'FILE')}",
        )


def refuse_foreign_plan(saved: SavedPlan, workspace: Workspace, environment: Environment) -> None:
    """Raises PlanRefusedError for a file of another environment, provider or ledger, and for one that was changed."""
    provider = provider_identity(environment)
    for what, planned, now in (
        ("environment", saved.environment, environment.name),
        ("provider", saved.provider, provider),
    ):
        if planned != now:
            raise PlanRefusedError(
                f"the plan was made for the {what} `{planned}`, not `{now}`; nothing was sent",
                hint=f"to make a new plan, run: {command_line('plan', '--out', 'FILE')}",
            )
    with facts_of(workspace, environment) as facts:
        refuse_other_ledger(saved, facts.lineage)
        assert facts.code is not None, "there is a ledger, or a sandbox without one"
        refuse_unsealed(saved, facts.code)


def refuse_other_time(saved: SavedPlan, workspace: Workspace) -> None:
    """A plan is applied as what is so now: one as of another time was never that."""
    typed, zone = saved.typed, workspace.sound.timezone
    if typed.made_at is not None:
        raise PlanRefusedError(
            f"the plan shows another time ({format_time(typed.as_of, zone)}) than the one at which it was made"
            f" ({format_time(typed.made_at, zone)}); nothing was sent",
            hint=f"to make a plan that can be applied, run: {command_line('plan', '--out', 'FILE')}",
        )
    if typed.as_of - workspace.clock.now() > CLOCK_DIFFERENCE:
        raise PlanRefusedError(
            f"the plan is as of {format_time(typed.as_of, zone)}, which is still to come; nothing was sent",
            hint="check the clock of this machine and of the one that made the plan, then make a new plan",
        )


def refuse_other_ledger(saved: SavedPlan, lineage: str | None) -> None:
    if saved.lineage not in {None, lineage}:
        raise PlanRefusedError(
            f"the plan was made against another ledger ({saved.lineage}; this one is {lineage}); nothing was sent",
            hint=f"to make a new plan, run: {command_line('plan', '--out', 'FILE')}",
        )


def check_against_review(saved: SavedPlan, plan: Plan, *, again: bool) -> None:
    """Allows less than what was reviewed, never more or other. Raises PlanRefusedError, which names the difference."""
    refuse_other_ledger(saved, plan.lineage)
    more = find_excess(saved, plan.sending)
    if more:
        raise PlanRefusedError(
            "the current plan contains messages that were not reviewed; nothing was sent\n  "
            + "\n  ".join(more),
            hint=f"to make a new plan for review, run: {command_line('plan', '--out', 'FILE')}",
        )
    if again and not plan.sends:
        raise PlanRefusedError(
            "the plan was already used and all its recipients were attempted; nothing was sent",
            hint=f"to make a new plan, run: {command_line('plan', '--out', 'FILE')}",
        )


def record_decisions(workspace: Workspace, plan: Plan, writer: LedgerWriter, *, who: str) -> None:
    """Records the decisions that take effect with this apply, each once. `who`: behind it."""
    project, now = workspace.sound, workspace.clock.now()
    known = {(each.kind, each.notification, each.edition, each.detail) for each in writer.statements()}
    wanted = [Statement(StatementKind.MOVED, each.target, None, each.source) for each in project.moved]
    wanted += [
        Statement(StatementKind.WITHDRAW, each.notification, each.edition, each.reason)
        for each in project.withdrawals
    ]
    wanted += [
        Statement(StatementKind.ACKNOWLEDGE, each.name, each.edition, each.content_hash)
        for each in plan.notifications
        if "acknowledged" in each.reasons.get(Action.UNCHANGED, {})
    ]
    for statement in wanted:
        if (statement.kind, statement.notification, statement.edition, statement.detail) not in known:
            writer.declare(replace(statement, who=who), at=now)
    for served in plan.baselines:
        writer.declare(replace(served.statement, who=who), at=now, served={served.scope: served.members})
        if not served.opened and served.scope not in {each.scope for each in plan.openings}:
            ids = b"".join(
                MEMBER.unpack_from(served.members, at)[0] for at in range(0, len(served.members), MEMBER.size)
            )
            writer.open_scope(served.scope, ids, at=now, likeness=served.likeness)


def record_missed(workspace: Workspace, plan: Plan, writer: LedgerWriter) -> None:
    """Records how many recipients an occurrence came too late for, so that `status` counts them."""
    for planned in (*plan.notifications, *plan.folded):
        if planned.missed:
            scope = Scope(planned.name, planned.edition, planned.occurrence, planned.channel)
            writer.note(missed_notice(scope, planned.missed), at=workspace.clock.now())


def refuse_errors(plan: Plan, on_plan: Callable[[Plan], None]) -> Plan:
    """Shows the plan. Raises ProjectError if it has errors."""
    on_plan(plan)
    if not plan.applyable:
        raise ProjectError(
            "the plan has errors; nothing was sent", hint=f"to list them, run: {command_line('plan')}"
        )
    return plan


def refuse_unconfirmed(plan: Plan, environment: Environment, confirm: Confirm | None, *, digest: str) -> None:
    """Raises unless a person is present and agrees. A plan that sends nothing needs nobody: the run cannot send then.

    `digest`: what `--expect` would have to be.
    """
    if not plan.sends:
        return
    if confirm is None:
        raise UsageError(
            f"cannot ask for confirmation of {plan.sends:,} messages in `{environment.name}`: no terminal; nothing was sent",
            hint=f"review the plan, then run: {command_line('apply', '--expect', digest)}",
        )
    if not confirm(plan):
        raise PlanRefusedError("not confirmed; nothing was sent")


def refuse_unexpected(plan: Plan, expected: str | None, *, most: int | None) -> None:
    """Raises PlanRefusedError for another digest than the expected one, or for more recipients than a person confirmed: the
    digest also covers what is not due yet.
    """
    if expected is not None and plan.digest != expected:
        raise PlanRefusedError(
            f"the current plan is not the one that was confirmed; nothing was sent\n"
            f"  expected {expected}\n"
            f"  now      {plan.digest} ({plan.sends:,} to send)",
            hint=f"review the new plan, then run: {command_line('apply', '--expect', plan.digest)}",
        )
    if most is not None and plan.sends > most:
        raise PlanRefusedError(
            f"{plan.sends:,} recipients would be sent to now, but {most:,} were confirmed; nothing was sent",
            hint=f"to confirm the new number, run: {command_line('apply')}",
        )


def prepare_requests(
    workspace: Workspace, environment: Environment, *, only: tuple[str, ...] = (), accepted_only: bool = False
) -> Iterator[tuple[Batch, PreparedRequest]]:
    """The exact requests that apply would post now. Needs no secret, sends nothing, changes no file."""
    with facts_of(workspace, environment) as facts:
        plan = derive(workspace, environment, facts, only=only, accepted_only=accepted_only)
        next_batch = facts.next_batch()
    provider = prepare_only(workspace, environment)
    yield from dry_run(build_job(workspace, environment, plan), next_batch=next_batch, provider=provider)


def build_job(workspace: Workspace, environment: Environment, plan: Plan) -> Job:
    return Job(
        openings=plan.openings,
        groups=plan.send_groups,
        limits=environment.limits,
        ledger_name=ledger_name(workspace.sound, environment),
        # Without a key of its own outside the ledger the seal follows from the batch alone, so that a dry run made
        # before the ledger exists prints the correlation ids of the first apply.
        seal_secret=external_key(environment, workspace.environ) or b"",
    )
