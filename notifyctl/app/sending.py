"""`apply` as a use case: lock, derive again, compare with what was reviewed, send; and the dry run, which walks the same list."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from notifyctl.app.ledgers import external_key, facts_from, facts_of, ledger_name, ledger_store, no_ledger
from notifyctl.app.planning import derive, make_plan
from notifyctl.app.providers import open_provider, prepare_only
from notifyctl.app.workspace import Workspace
from notifyctl.apply.run import Event, Job, Report, Stop, dry_run, run
from notifyctl.delivery import Batch, PreparedRequest
from notifyctl.errors import PlanRefusedError, ProjectError, UsageError
from notifyctl.model import Environment
from notifyctl.plan.plan import Plan

Confirm = Callable[[Plan], bool]
"""Shows a plan to a person and asks; False when they decline."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply did. `report` is None when the plan held nothing to send."""

    plan: Plan
    report: Report | None


def apply(
    workspace: Workspace,
    environment: Environment,
    *,
    only: tuple[str, ...] = (),
    expect: str | None = None,
    confirm: Confirm | None = None,
    on_plan: Callable[[Plan], None],
    on_event: Callable[[Event], None],
    stop: Stop,
) -> Applied:
    """Send what the plan says. `confirm` is None where nobody can be asked; then `expect` must name the digest.

    Raises PlanRefusedError when the digest is another, UsageError when neither digest nor person confirms,
    LedgerError, LedgerLockedError, ProjectError, SettingsError. `on_plan` gets the plan that will be walked.
    """
    store = ledger_store(workspace, environment)
    if not store.exists() and not environment.is_sandbox:
        raise no_ledger(environment, planning=False)
    most = None
    if expect is None and not environment.is_sandbox:
        # Asked before the lock is taken: a person at a prompt must not keep others from sending.
        shown = sound(make_plan(workspace, environment, only=only), on_plan)
        if not shown.sends:
            return Applied(shown, None)
        confirmed(shown, environment, confirm)
        expect, most = shown.digest, shown.sends
    if not store.exists():
        store.create()
    with store.writer(holder()) as writer:
        plan = derive(workspace, environment, facts_from(writer), only=only)
        # The digest also covers what was not due yet: who confirmed a number is held to that number.
        if (expect is not None and plan.digest != expect) or (most is not None and plan.sends > most):
            raise refused(plan, str(expect))
        sound(plan, on_plan)
        if not plan.consignments:
            return Applied(plan, None)
        with open_provider(workspace, environment) as provider:
            report = run(
                job_of(workspace, environment, plan),
                writer=writer,
                provider=provider,
                clock=workspace.clock,
                on_event=on_event,
                stop=stop,
            )
    return Applied(plan, report)


def sound(plan: Plan, on_plan: Callable[[Plan], None]) -> Plan:
    """Show the plan; raises ProjectError when it has errors."""
    on_plan(plan)
    if not plan.applyable:
        raise ProjectError("the plan has errors; nothing was sent", hint="`notifyctl plan` lists them")
    return plan


def confirmed(plan: Plan, environment: Environment, confirm: Confirm | None) -> None:
    """Raises unless somebody is there and agrees."""
    if confirm is None:
        raise UsageError(
            f"nobody is here to confirm {plan.sends:,} messages in {environment.name!r}; nothing was sent",
            hint=f"review `notifyctl plan`, then: notifyctl apply --expect {plan.digest}",
        )
    if not confirm(plan):
        raise PlanRefusedError("not confirmed; nothing was sent")


def refused(plan: Plan, expected: str) -> PlanRefusedError:
    return PlanRefusedError(
        f"what would be sent now is not what was expected; nothing was sent\n"
        f"  expected {expected}\n"
        f"  now      {plan.digest} ({plan.sends:,} to send)",
        hint="review `notifyctl plan` again and give its digest",
    )


def rehearse(
    workspace: Workspace, environment: Environment, *, only: tuple[str, ...] = ()
) -> Iterator[tuple[Batch, PreparedRequest]]:
    """The exact requests that apply would post now. Needs no secret, sends nothing, changes no file."""
    with facts_of(workspace, environment) as facts:
        plan = derive(workspace, environment, facts, only=only)
        next_batch = facts.next_batch()
    provider = prepare_only(workspace, environment)
    yield from dry_run(job_of(workspace, environment, plan), next_batch=next_batch, provider=provider)


def job_of(workspace: Workspace, environment: Environment, plan: Plan) -> Job:
    return Job(
        openings=plan.openings,
        consignments=plan.consignments,
        limits=environment.limits,
        ledger_name=ledger_name(workspace.sound, environment),
        # Without a key of its own outside the ledger the seal follows from the batch alone, so that a dry run made
        # before the ledger exists prints the correlation ids of the first apply.
        seal_secret=external_key(environment, workspace.environ) or b"",
    )


def holder() -> str:
    """Who holds the lock, for the message that another apply gets."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()} pid {os.getpid()}"
