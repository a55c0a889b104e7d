"""Writes the rows that an apply did not reach, and rows that are invalid, in the format of their source with a reason.

The files can be corrected and used as an audience again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from notifyctl.app.ledger import facts_from, ledger_store
from notifyctl.app.names import expand_names
from notifyctl.app.outputs import Outputs
from notifyctl.app.plan import Past, suppressions_of
from notifyctl.app.workspace import Workspace
from notifyctl.audience import open_audience
from notifyctl.audience.row_rewriter import rewrite_rows, suffix_of
from notifyctl.audience.suppressions import index_opt_outs
from notifyctl.lint.project import check_project
from notifyctl.model.ledger import BatchRecord
from notifyctl.model.project import Audience, Environment, Notification
from notifyctl.model.recipients import RejectedRow, RowRejection
from notifyctl.plan.model import Plan
from notifyctl.plan.statuses import recipient_statuses
from notifyctl.ports import AudienceReader, LedgerReader

Failures = tuple[Audience, dict[int, str]]
"""An audience, and by line of its source why the row failed."""

INVALID = frozenset({RowRejection.BAD_ADDRESS, RowRejection.BAD_ROW})


def write_failures(
    workspace: Workspace, environment: Environment, plan: Plan, target: Path, outputs: Outputs
) -> Iterator[tuple[Path, int]]:
    """Writes the recipients that were not reached; yields each file with its number of rows.

    One file per audience; with several audiences their names are inserted into `target`.
    """
    with closing(ledger_store(workspace, environment).reader()) as reader:
        found = dict(find_failures(workspace, environment, plan, reader))
    yield from write_files(workspace, found, target, outputs)


def write_rejects(
    workspace: Workspace,
    environment: Environment,
    target: Path,
    outputs: Outputs,
    *,
    only: tuple[str, ...] = (),
) -> Iterator[tuple[Path, int]]:
    """The same for rows that cannot be read or have an invalid address. Reads each audience once more."""
    found: dict[str, Failures] = {}
    project = workspace.sound
    checked = check_project(
        project,
        environment=environment,
        files=workspace.files,
        only=expand_names(only, project.notifications),
        environ=workspace.environ,
    )
    for name, reader in checked.audiences.items():
        notification = project.notifications[name]
        audience = notification.audience
        names = {each for message in checked.messages[name].values() for each in message.names}
        for batch in reader.batches(notification.channel, names):
            for row in batch.excluded:
                if row.reason in INVALID:
                    _, reasons = found.setdefault(audience.name, (audience, {}))
                    reasons.setdefault(row.row, describe_reject(row))
    yield from write_files(workspace, found, target, outputs)


def describe_reject(row: RejectedRow) -> str:
    """Why a row is rejected, with its place in a file; the sentence has that of a query."""
    place = f"{row.location.file}:{row.row}: " if row.location.line == row.row else ""
    return f"{place}{row.detail}"


def write_files(
    workspace: Workspace, found: Mapping[str, Failures], target: Path, outputs: Outputs
) -> Iterator[tuple[Path, int]]:
    for _, (audience, reasons) in sorted(found.items()):
        path = target if len(found) == 1 else target_of(audience, target)
        outputs.write(path, rewrite_rows(audience, workspace.files, workspace.environ, reasons))
        yield path, len(reasons)


def possible_targets(workspace: Workspace, target: Path) -> list[Path]:
    """Each file that may be written, to be checked before anything is sent."""
    audiences = {each.audience.name: each.audience for each in workspace.sound.notifications.values()}
    several = audiences.values() if len(audiences) > 1 else ()
    return [target, *dict.fromkeys(target_of(audience, target) for audience in several)]


def target_of(audience: Audience, target: Path) -> Path:
    """The file of one of several audiences."""
    return target.with_name(f"{target.stem}.{audience.name}{suffix_of(audience) or target.suffix}")


def find_failures(
    workspace: Workspace, environment: Environment, plan: Plan, ledger: LedgerReader
) -> Iterator[tuple[str, Failures]]:
    project = workspace.sound
    facts = facts_from(ledger)
    lists = suppressions_of(workspace, facts, environ=workspace.environ)
    by_audience: dict[str, Failures] = {}
    for name in sorted({each.name for each in plan.notifications} & set(project.notifications)):
        notification = project.notifications[name]
        audience = notification.audience
        reader = open_audience(
            audience,
            workspace.files,
            suppressed=index_opt_outs(lists, project, environment, notification, workspace.clock.now()),
            fence=environment.fence,
            environ=workspace.environ,
        )
        unreached = failure_reasons(Past(project, facts), ledger, notification)
        reasons = dict(unreached_rows(reader, notification, unreached, ledger))
        if reasons:
            known = by_audience.setdefault(audience.name, (audience, {}))
            for line, reason in reasons.items():
                known[1].setdefault(line, reason)
    yield from by_audience.items()


def failure_reasons(past: Past, ledger: LedgerReader, notification: Notification) -> dict[bytes, str]:
    """Recipient id → reason, for recipients who were attempted and not accepted in some occurrence of the edition."""
    occurrences: dict[tuple[str, str], list[BatchRecord]] = {}
    for scope in past.scopes(notification.name):
        if scope.edition == notification.edition:
            occurrences.setdefault((scope.occurrence, scope.channel), []).extend(ledger.facts(scope))
    reasons: dict[bytes, str] = {}
    for batches in occurrences.values():
        given = {batch.number: batch.reason for batch in batches}
        for recipient, status in recipient_statuses(batches).items():
            # Whoever may have one occurrence is reported as uncertain, even if another one was rejected.
            if status.kind == "uncertain":
                reasons[recipient] = f"outcome unknown: {given[status.batch] or 'no response recorded'}"
            elif status.kind == "rejected":
                reasons.setdefault(recipient, f"not accepted: {given[status.batch] or 'by the provider'}")
    return reasons


def unreached_rows(
    reader: AudienceReader, notification: Notification, unreached: Mapping[bytes, str], ledger: LedgerReader
) -> Iterator[tuple[int, str]]:
    for batch in reader.batches(notification.channel, ()):
        for row in batch.excluded:
            if row.reason in INVALID:
                yield row.row, row.detail
        ids = dict(zip(batch.addresses, ledger.recipient_ids(batch.addresses), strict=True))
        former = {key: ledger.recipient_ids([before])[0] for key, before in batch.former_keys}
        for key, line in zip(batch.addresses, batch.lines, strict=True):
            reason = unreached.get(ids[key]) or unreached.get(former.get(key, b""))
            if reason is not None:
                yield line, reason
