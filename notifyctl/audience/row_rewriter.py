"""Rows of an audience in the form of their own source, each with a reason: to be mended and read again."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO

from notifyctl.audience.compression import without_compression_suffix
from notifyctl.audience.csv_reader import Csv
from notifyctl.audience.json_lines import JsonLines
from notifyctl.audience.readers import Table
from notifyctl.audience.source import FORMATS, open_table
from notifyctl.model.project import Audience, InlineRecipient
from notifyctl.ports import FileTree

REASON = "reason"

Reasons = Mapping[int, str]
"""Line of the source → why its row is here."""


def rewrite_rows(
    audience: Audience, files: FileTree, environ: Mapping[str, str] | None, reasons: Reasons
) -> Iterator[str]:
    """Pieces of text. Separated values keep their delimiter, JSON Lines stay so, databases and Parquet become CSV, people
    that stand in a YAML file stay YAML. Raises ProjectError.
    """
    if audience.recipients is not None:
        yield from as_yaml(audience.recipients, reasons)
        return
    table, _ = open_table(audience, files, environ)
    yield from as_lines(table, reasons) if isinstance(table, JsonLines) else as_csv(table, reasons)


def suffix_of(audience: Audience) -> str | None:
    """The suffix of what is no separated values."""
    source = audience.source
    if source is None:
        return ".yaml"
    kind = source.format or without_compression_suffix(source.file or "").rpartition(".")[2]
    return ".jsonl" if FORMATS.get(kind.lower()) == "jsonl" else None


def as_csv(table: Table, reasons: Reasons) -> Iterator[str]:
    written = StringIO()
    delimiter = table.delimiter if isinstance(table, Csv) else ","
    writer = csv.writer(written, delimiter=delimiter, lineterminator="\n")
    writer.writerow([*table.header, REASON])
    for line, cells in raw_rows(table):
        if line in reasons:
            writer.writerow([*(cell.encode("utf-8", "replace").decode() for cell in cells), reasons[line]])
            yield written.getvalue()
            written.seek(0)
            written.truncate()
    yield written.getvalue()


def raw_rows(table: Table) -> Iterator[tuple[int, Sequence[str]]]:
    """Rows as they are written; what cannot be read is one cell."""
    if isinstance(table, Csv):
        rows = table.records()
        next(rows)
        for line, record in rows:
            yield line, [record] if isinstance(record, str) else record
        return
    for line, cells in table.cells():
        yield line, [cells] if isinstance(cells, str) else [cells.get(name) or "" for name in table.header]


def as_lines(table: JsonLines, reasons: Reasons) -> Iterator[str]:
    for line, data in table.raw():
        if line in reasons:
            yield json.dumps({**parse_line(data), REASON: reasons[line]}, ensure_ascii=False) + "\n"


def parse_line(data: bytes | str) -> dict[str, object]:
    """What the line holds, or the line itself."""
    try:
        row = json.loads(data)
    except (ValueError, RecursionError):
        row = None
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    return row if isinstance(row, dict) else {"line": text.rstrip("\r\n")}


def as_yaml(recipients: Sequence[InlineRecipient], reasons: Reasons) -> Iterator[str]:
    """Entries, each on a line of its own: JSON is YAML."""
    for recipient in recipients:
        if recipient.location.line in reasons:
            entry: dict[str, object] = {}
            for key, addresses in (("msisdn", recipient.msisdn), ("email", recipient.email)):
                if addresses:
                    entry[key] = list(addresses)
            if recipient.substitutions:
                entry["substitutions"] = dict(recipient.substitutions)
            yield f"- {json.dumps(entry, ensure_ascii=False)}  # {reasons[recipient.location.line]}\n"
