"""An audience's definition to a reader of its recipients: which source, which columns, which variables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from os import SEEK_END
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, Any

from notifyctl.audience.plain import PlainFile
from notifyctl.audience.rows import Row, Rules, batches
from notifyctl.audience.tables import OURS, Csv, JsonLines, Table, TableError, to_rows
from notifyctl.delivery import RecipientBatch
from notifyctl.diagnostics import Diagnostic, Severity, clipped
from notifyctl.errors import AbsentAudienceError, ProjectError
from notifyctl.model import Audience, ChannelName
from notifyctl.ports import AudienceReader, FileTree
from notifyctl.records import dataclass

if TYPE_CHECKING:
    from notifyctl.audience.where import Filter

BATCH_SIZE = 4096
READ = "CSV (.csv), TSV (.tsv) and JSON Lines (.jsonl)"
FORMATS = {"csv": "csv", "tsv": "tsv", "tab": "tsv", "jsonl": "jsonl", "ndjson": "jsonl"}


@dataclass(frozen=True, slots=True)
class Reader:
    """An opened audience. `rows` starts from the top each time it is called."""

    variables: Sequence[str]
    file: str
    rows: Callable[[], Iterable[Row]]
    rules: Rules
    size: int
    weight: int = 0
    plain: PlainFile | None = None
    """What a columnar engine needs to read it by itself, if it can."""

    def batches(self, channel: ChannelName) -> Iterator[RecipientBatch]:
        return batches(
            self.rows(),
            channel,
            file=self.file,
            variables=self.variables,
            rules=self.rules,
            size=self.size,
        )


def open_audience(
    audience: Audience,
    files: FileTree,
    *,
    suppressed: frozenset[str],
    fence: tuple[str, ...] | None,
    batch_size: int = BATCH_SIZE,
) -> AudienceReader:
    """Raises ProjectError, with a diagnostic at the audience, when its source cannot be read as a whole."""
    rules = Rules(suppressed, fence, audience.numbers)
    if audience.recipients is not None:
        return inline(audience, rules, batch_size)
    return table(audience, files, rules, batch_size)


def inline(audience: Audience, rules: Rules, size: int) -> Reader:
    recipients = audience.recipients or ()
    variables = sorted({name for recipient in recipients for name in recipient.substitutions})
    rows = [
        Row(
            recipient.location.line,
            recipient.location.column,
            recipient.msisdn,
            recipient.email,
            recipient.locale,
            recipient.timezone,
            recipient.correlation_id,
            [recipient.substitutions.get(name) for name in variables],
        )
        for recipient in recipients
    ]
    return Reader(variables, audience.marks.file, lambda: rows, rules, size)


def table(audience: Audience, files: FileTree, rules: Rules, size: int) -> Reader:
    source = audience.source
    if source is None or source.file is None:
        message = f"a database is not read by this version, which reads {READ}"
        raise unreadable(audience, "unsupported-source", message, kind=AbsentAudienceError)
    path = find(audience, source.file, files)
    found = read(audience, path, files, named=source.format)
    header = found.header
    columns = {ours: audience.columns.get(ours, ours) for ours in OURS}
    for ours, theirs in audience.columns.items():
        require(audience, theirs, header, field=("columns", ours))
    if audience.substitutions is None:
        taken = set(columns.values())
        variables = {name: name for name in header if name and name not in taken}
    else:
        variables = dict(audience.substitutions)
        for variable, column in variables.items():
            require(audience, column, header, field=("substitutions", variable))
    chosen = where(audience, header)

    def rows() -> Iterator[Row]:
        if chosen is None:
            return found.rows(columns, variables)
        return to_rows(filtered(audience, chosen, found.cells()), columns, variables)

    weight, real = weight_of(files, path)
    plain = None
    if isinstance(found, Csv) and real is not None and chosen is None:
        opened = partial(files.open, path)
        plain = PlainFile(
            real, path, header, columns, variables, rules, opened, "\t" if path.endswith("tsv") else ","
        )
    return Reader(list(variables), path, rows, rules, size, weight, plain)


def weight_of(files: FileTree, path: str) -> tuple[int, str | None]:
    """How large a file on disk is, and where it is; nothing for one that is nowhere else than in the project."""
    real = files.on_disk(path)
    if real is None:
        return 0, None
    with files.open(path) as stream:
        return stream.seek(0, SEEK_END), real


def find(audience: Audience, named: str, files: FileTree) -> str:
    """Beside the YAML file that names it, else below the project's root."""
    for candidate in (normpath(join(dirname(audience.marks.file), named)), normpath(named)):
        try:
            files.open(candidate).close()
        except (FileNotFoundError, ValueError):
            continue
        except OSError as wrong:
            message = f"{clipped(candidate)} cannot be read: {wrong.strerror}"
            raise unreadable(audience, "unreadable-file", message) from wrong
        return candidate
    raise unreadable(
        audience,
        "unreadable-file",
        f"there is no file {clipped(named)!r}",
        hint="a path relative to this file or to the project; files outside the project cannot be read",
        kind=AbsentAudienceError,
    )


def read(audience: Audience, path: str, files: FileTree, *, named: str | None) -> Table:
    suffix = (named or path.rpartition(".")[2]).lower()
    kind = FORMATS.get(suffix)
    try:
        if kind == "jsonl":
            return JsonLines(files, path)
        if kind is not None:
            return Csv(files, path, delimiter="\t" if kind == "tsv" else ",")
    except TableError as error:
        raise unreadable(audience, "unreadable-file", f"{path}: {error}") from error
    raise unreadable(
        audience, "unsupported-source", f"{suffix!r} is not read by this version, which reads {READ}"
    )


def require(audience: Audience, column: str, header: Sequence[str], *, field: tuple[str, str]) -> None:
    if column not in header:
        from difflib import get_close_matches

        near = get_close_matches(column, header, n=1)
        raise unreadable(
            audience,
            "unknown-column",
            f"there is no column {column!r}; there are: {', '.join(header)}",
            hint=f"did you mean {near[0]!r}?" if near else None,
            field=field,
        )


def where(audience: Audience, header: Sequence[str]) -> Filter | None:
    if audience.where is None:
        return None
    from notifyctl.audience.where import compile_where

    try:
        return compile_where(audience.where, header)
    except ValueError as error:
        raise bad_where(audience, error) from error


def filtered(
    audience: Audience, chosen: Filter, cells: Iterator[tuple[int, Mapping[str, str | None] | str]]
) -> Iterator[Any]:
    try:
        yield from chosen(cells)
    except ValueError as error:
        raise bad_where(audience, error) from error


def bad_where(audience: Audience, error: ValueError) -> ProjectError:
    hint = "one boolean expression over the columns, for example: postcode like 'EC1M%' and lang = 'fr'"
    return unreadable(audience, "bad-where", str(error), hint=hint, field=("where",))


def unreadable(
    audience: Audience,
    rule: str,
    message: str,
    *,
    hint: str | None = None,
    field: tuple[str, ...] = ("source",),
    kind: type[ProjectError] = ProjectError,
) -> ProjectError:
    place = audience.marks.at(*field)
    return kind(
        f"the audience {audience.name!r} cannot be read: {message}",
        hint=hint,
        diagnostics=[Diagnostic(rule, Severity.ERROR, message, place, hint)],
    )
