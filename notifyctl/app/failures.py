"""The people whom an apply did not reach, as rows in the form of their own file with the reason, to be mended and used again."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from io import StringIO
from pathlib import Path

from notifyctl.app.ledgers import facts_from, ledger_store
from notifyctl.app.planning import Past
from notifyctl.app.workspace import Workspace
from notifyctl.audience import load_suppressions, open_audience
from notifyctl.audience.open import FORMATS
from notifyctl.audience.tables import records
from notifyctl.delivery import MEMBER_BYTES, BatchFacts, BatchState, Exclusion
from notifyctl.errors import UsageError
from notifyctl.facts import UNSETTLED
from notifyctl.model import Audience, Environment, Notification
from notifyctl.plan.plan import Plan
from notifyctl.plan.standing import MEMBER
from notifyctl.ports import AudienceReader, LedgerReader

Reasons = dict[int, str]
"""Line of the source → why its row did not get through."""

BAD = frozenset({Exclusion.BAD_ADDRESS, Exclusion.BAD_ROW})


def write_failures(
    workspace: Workspace, environment: Environment, plan: Plan, target: Path
) -> Iterator[tuple[Path, int]]:
    """Write the files and give each with its number of rows. One audience is one file; several get their names inserted."""
    with closing(ledger_store(workspace, environment).reader()) as reader:
        found = dict(failed(workspace, environment, plan, reader))
    several = len(found) > 1
    for name, (audience, source, reasons) in sorted(found.items()):
        path = target.with_name(f"{target.stem}.{name}{target.suffix}") if several else target
        text = as_written(workspace, audience, source, reasons)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from error
        yield path, len(reasons)


def failed(
    workspace: Workspace, environment: Environment, plan: Plan, ledger: LedgerReader
) -> Iterator[tuple[str, tuple[Audience, str, Reasons]]]:
    project = workspace.sound
    suppressed, _ = load_suppressions(project.suppressions, workspace.files, project.marks)
    by_audience: dict[str, tuple[Audience, str, Reasons]] = {}
    for name in sorted({each.name for each in plan.notifications} & set(project.notifications)):
        notification = project.notifications[name]
        audience = notification.audience
        reader = open_audience(audience, workspace.files, suppressed=suppressed, fence=environment.fence)
        unreached = why(Past(project, facts_from(ledger)), ledger, notification)
        reasons = dict(rows_of(reader, notification, unreached, ledger))
        if reasons:
            known = by_audience.setdefault(audience.name, (audience, reader.file, {}))
            for line, reason in reasons.items():
                known[2].setdefault(line, reason)
    yield from by_audience.items()


def why(past: Past, ledger: LedgerReader, notification: Notification) -> dict[bytes, str]:
    """Recipient id → why they did not get it, of all who were attempted and did not accept."""
    found: dict[bytes, str] = {}
    accepted: set[bytes] = set()
    for scope in past.scopes(notification.name):
        if scope.edition == notification.edition:
            for batch in ledger.facts(scope):
                for recipient, state in members_of(batch):
                    if state is BatchState.ACCEPTED:
                        accepted.add(recipient)
                    elif state is BatchState.REJECTED:
                        found[recipient] = f"rejected: {batch.reason or 'by the provider'}"
                    elif state in UNSETTLED:
                        found[recipient] = f"uncertain: {batch.reason or 'no answer recorded'}"
    return {recipient: reason for recipient, reason in found.items() if recipient not in accepted}


def members_of(batch: BatchFacts) -> Iterator[tuple[bytes, BatchState]]:
    for position in range(len(batch.members) // MEMBER_BYTES):
        recipient, _ = MEMBER.unpack_from(batch.members, position * MEMBER_BYTES)
        yield recipient, batch.others.get(position, batch.state)


def rows_of(
    reader: AudienceReader, notification: Notification, unreached: Mapping[bytes, str], ledger: LedgerReader
) -> Iterator[tuple[int, str]]:
    for batch in reader.batches(notification.channel):
        for row in batch.excluded:
            if row.reason in BAD:
                yield row.location.line, row.detail
        ids = ledger.recipient_ids(batch.addresses)
        for recipient, line in zip(ids, batch.lines, strict=True):
            if recipient in unreached:
                yield line, unreached[recipient]


def as_written(workspace: Workspace, audience: Audience, file: str, reasons: Reasons) -> str:
    source = audience.source
    if source is None:
        return inline(audience, reasons)
    kind = FORMATS.get((source.format or file.rpartition(".")[2]).lower(), "csv")
    if kind == "jsonl":
        return lines(workspace, file, reasons)
    delimiter = "\t" if kind == "tsv" else ","
    written = StringIO()
    writer = csv.writer(written, delimiter=delimiter, lineterminator="\n")
    for number, (line, record) in enumerate(records(workspace.files, file, delimiter)):
        cells = record if isinstance(record, list) else [record]
        if number == 0:
            writer.writerow([*cells, "reason"])
        elif line in reasons:
            writer.writerow([*(cell.encode("utf-8", "replace").decode() for cell in cells), reasons[line]])
    return written.getvalue()


def lines(workspace: Workspace, file: str, reasons: Reasons) -> str:
    made = []
    with workspace.files.open(file) as stream:
        for line, data in enumerate(stream, start=1):
            if line in reasons:
                try:
                    row = json.loads(data)
                except ValueError:
                    row = {"line": data.decode("utf-8", "replace").rstrip("\n")}
                made.append(json.dumps({**row, "reason": reasons[line]}, ensure_ascii=False))
    return "".join(f"{each}\n" for each in made)


def inline(audience: Audience, reasons: Reasons) -> str:
    """Entries as YAML, each on a line of its own: JSON is YAML."""
    made = []
    for recipient in audience.recipients or ():
        if recipient.location.line in reasons:
            entry: dict[str, object] = {}
            for key, addresses in (("msisdn", recipient.msisdn), ("email", recipient.email)):
                if addresses:
                    entry[key] = list(addresses)
            if recipient.substitutions:
                entry["substitutions"] = dict(recipient.substitutions)
            made.append(f"- {json.dumps(entry, ensure_ascii=False)}  # {reasons[recipient.location.line]}\n")
    return "".join(made)
