"""Opens the source of an audience, and finds its columns and variables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING

from msgspec import Struct

from notifyctl.audience.compression import TableError, without_compression_suffix
from notifyctl.audience.csv_reader import Csv
from notifyctl.audience.json_lines import JsonLines
from notifyctl.audience.readers import CHUNK, Chunk, Table
from notifyctl.audience.recipients import Rows, Rules, read_recipients
from notifyctl.audience.suppressions import NOBODY, SuppressionIndex, index_addresses
from notifyctl.audience.table_encoding import OtherEncodingError
from notifyctl.diagnostics import Diagnostic, Location, Severity, truncate
from notifyctl.errors import AbsentAudienceError, ProjectError
from notifyctl.model.project import Audience, ChannelName
from notifyctl.model.recipients import RecipientBatch, RowOrigin
from notifyctl.ports import FileTree

if TYPE_CHECKING:
    from notifyctl.audience.where import Condition

ROLES = ("msisdn", "email", "locale", "timezone", "correlationId")
"""Keys of an audience's `columns`, and the default names of these columns."""
READ = "CSV (.csv), TSV (.tsv), JSON Lines (.jsonl), these also as .gz and .zst, Parquet (.parquet), SQLite (.sqlite) and DuckDB (.duckdb)"
FORMATS = {
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "parquet": "parquet",
    "sqlite": "sqlite",
    "sqlite3": "sqlite",
    "db": "sqlite",
    "duckdb": "duckdb",
}
DATABASES = {"sqlite", "duckdb"}
TEXT_FORMATS = {"csv", "tsv", "jsonl"}
Names = Collection[str] | None
"""Variables whose columns are read; None: all of them."""


class Reader(Struct, frozen=True):
    """An opened audience. Implements ports.AudienceReader; each call of `rows` starts at the first row."""

    variables: Sequence[str]
    origin: RowOrigin
    rows: Callable[[ChannelName, Names], Iterable[Rows]]
    rules: Rules
    header: Sequence[str] = ()

    def batches(self, channel: ChannelName, names: Names = None) -> Iterator[RecipientBatch]:
        return read_recipients(self.rows(channel, names), channel, origin=self.origin, rules=self.rules)


def open_audience(
    audience: Audience,
    files: FileTree,
    *,
    suppressed: frozenset[str] | SuppressionIndex,
    fence: tuple[str, ...] | None,
    fallback: SuppressionIndex = NOBODY,
    environ: Mapping[str, str] | None = None,
    batch_size: int = CHUNK,
) -> Reader:
    """Opens an audience. `fallback`: whom no SMS is sent to in place of another message. `environ` holds the URLs of databases; without it databases are not queried.

    Raises ProjectError with a diagnostic if the source cannot be read, and AbsentAudienceError if it is not available here.
    """
    out = suppressed if isinstance(suppressed, SuppressionIndex) else index_addresses(suppressed)
    rules = Rules(out, fence, fallback, audience.numbers, audience.region)
    if audience.recipients is not None:
        return read_inline(audience, rules, batch_size)
    return read_source(audience, files, rules, batch_size, environ)


def read_inline(audience: Audience, rules: Rules, size: int) -> Reader:
    """The recipients in a YAML file, with one row per address."""
    recipients = audience.recipients or ()
    variables = sorted({name for recipient in recipients for name in recipient.substitutions})

    def rows(channel: ChannelName, names: Names) -> Iterator[Rows]:
        wanted = [name for name in variables if names is None or name in names]
        entries = [
            (recipient, address)
            for recipient in recipients
            for address in (recipient.email if channel is ChannelName.EMAIL else recipient.msisdn) or (None,)
        ]
        for start in range(0, len(entries), size):
            taken = entries[start : start + size]
            people = [recipient for recipient, _ in taken]
            yield Rows(
                lines=[each.location.line for each in people],
                addresses=[address for _, address in taken],
                locales=[each.locale for each in people],
                timezones=[each.timezone for each in people],
                correlations=[each.correlation_id for each in people],
                values={name: [each.substitutions.get(name) for each in people] for name in wanted},
                columns=[each.location.column for each in people],
            )

    return Reader(variables, RowOrigin(audience.positions.file), rows, rules)


def read_source(
    audience: Audience, files: FileTree, rules: Rules, size: int, environ: Mapping[str, str] | None
) -> Reader:
    """The recipients in a file or database."""
    found, place = open_table(audience, files, environ)
    header = found.header
    columns = {role: audience.columns.get(role, role) for role in ROLES}
    for role, column in audience.columns.items():
        require_column(audience, column, header, field=("columns", role))
    if audience.substitutions is None:
        taken = {*columns.values(), *audience.columns.values()}
        variables = {name: name for name in header if name and name not in taken}
    else:
        variables = dict(audience.substitutions)
        for variable, column in variables.items():
            require_column(audience, column, header, field=("substitutions", variable))
    condition = parse_where(audience, header)
    region = audience.columns.get("region")

    def rows(channel: ChannelName, names: Names) -> Iterator[Rows]:
        wanted = {
            variable: column for variable, column in variables.items() if names is None or variable in names
        }
        own = [columns[role] for role in (channel.address_field, "locale", "timezone", "correlationId")]
        own += [region] if region is not None else []
        read = [*own, *wanted.values(), *(condition.columns if condition is not None else ())]
        try:
            chunks = found.chunks(size, read)
            for chunk in chunks if condition is None else filter_rows(audience, condition, chunks):
                flawed = {
                    at: f"{column!r} {why}" for column in read for at, why in chunk.flaws(column).items()
                }
                yield Rows(
                    lines=chunk.lines,
                    addresses=chunk.column(columns[channel.address_field]),
                    locales=chunk.column(columns["locale"]),
                    timezones=chunk.column(columns["timezone"]),
                    correlations=chunk.column(columns["correlationId"]),
                    values={variable: chunk.column(column) for variable, column in wanted.items()},
                    regions=chunk.column(region) if region is not None else None,
                    broken=chunk.broken,
                    flawed=flawed,
                )
        except TableError as error:
            raise table_error(audience, place.name, error) from error

    return Reader(list(variables), origin_of(audience, place), rows, rules, tuple(header))


def origin_of(audience: Audience, place: Place) -> RowOrigin:
    """Rows of files are told by their lines, those of tables and queries by their numbers."""
    source = audience.source
    assert source is not None
    if place.kind in TEXT_FORMATS:
        return RowOrigin(place.name)
    named = f"the table {source.table!r}" if source.table else "the query" if source.sql else "the file"
    query = audience.positions.location("source") if source.url is not None else Location(place.name)
    return RowOrigin(place.name, query, named)


class Place(Struct, frozen=True):
    """A located source: its name in the project, its format, and the paths of its files on disk."""

    name: str
    kind: str
    real: tuple[str, ...] = ()


def open_table(audience: Audience, files: FileTree, environ: Mapping[str, str] | None) -> tuple[Table, Place]:
    """The source as a table. Raises ProjectError."""
    source = audience.source
    assert source is not None
    name = source.file or "the database"
    try:
        if source.url is not None:
            return open_database(audience, environ), Place(audience.positions.file, "database")
        place = locate(audience, files)
        name = place.name
        return read_table(audience, place, files), place
    except TableError as error:
        raise table_error(audience, name, error) from error


def open_database(audience: Audience, environ: Mapping[str, str] | None) -> Table:
    """Opens a database if secrets are available: lint, and a plan without them, do not query it."""
    source = audience.source
    assert source is not None
    assert source.url is not None
    if environ is None:
        message = "the database is not queried here"
        raise unreadable_error(audience, "unsupported-source", message, kind=AbsentAudienceError)
    from notifyctl.audience.postgresql import open_postgres
    from notifyctl.secrets import read_secret

    url = read_secret(source.url, environ, what=f"the database of the audience {audience.name!r}")
    if not url.startswith(("postgresql://", "postgres://")):
        raise TableError("its URL is not one of PostgreSQL: postgresql://USER@HOST/DATABASE")
    return open_postgres(url, source.sql or select_of(source.table))


def select_of(table: str | None) -> str:
    from notifyctl.audience.queries import select_all

    return select_all(table or "people")


def locate(audience: Audience, files: FileTree) -> Place:
    source = audience.source
    assert source is not None
    named = source.file or ""
    names = match_files(audience, named, files) if set(named) & set("*?[") else ()
    names = names or (find_file(audience, named, files),)
    kind = FORMATS.get((source.format or without_compression_suffix(names[0]).rpartition(".")[2]).lower(), "")
    if not kind:
        suffix = source.format or names[0].rpartition(".")[2]
        message = f"{suffix!r} is not read by this version, which reads {READ}"
        raise unreadable_error(audience, "unsupported-source", message)
    if (source.sql or source.table) and kind not in DATABASES:
        raise unreadable_error(
            audience, "unsupported-source", f"{names[0]} is not a database: it has no tables and no queries"
        )
    if len(names) > 1 and kind != "parquet":
        raise unreadable_error(
            audience, "unsupported-source", "a pattern for several files works only with Parquet"
        )
    real = tuple(path for name in names if (path := files.on_disk(name)) is not None)
    return Place(names[0] if len(names) == 1 else named, kind, real)


def match_files(audience: Audience, pattern: str, files: FileTree) -> tuple[str, ...]:
    """Files that match a pattern, sorted by name: relative to the YAML file, else to the project's root."""
    from fnmatch import fnmatchcase

    for wanted in (normpath(join(dirname(audience.positions.file), pattern)), normpath(pattern)):
        slashes = wanted.count("/")
        found = tuple(
            path for path in files.paths() if path.count("/") == slashes and fnmatchcase(path, wanted)
        )
        if found:
            return found
    return ()


def find_file(audience: Audience, named: str, files: FileTree) -> str:
    """Finds a file relative to the YAML file that names it, else to the project's root. Raises ProjectError."""
    for candidate in (normpath(join(dirname(audience.positions.file), named)), normpath(named)):
        try:
            files.open(candidate).close()
        except (FileNotFoundError, ValueError):
            continue
        except OSError as wrong:
            message = f"{truncate(candidate)} cannot be read: {wrong.strerror}"
            raise unreadable_error(audience, "unreadable-file", message) from wrong
        return candidate
    raise unreadable_error(
        audience,
        "unreadable-file",
        f"there is no file {truncate(named)!r}",
        hint="a path relative to this file or to the project; files outside the project cannot be read",
        kind=AbsentAudienceError,
    )


def read_table(audience: Audience, place: Place, files: FileTree) -> Table:
    """Opens a file as a table. Raises TableError or ProjectError."""
    source = audience.source
    assert source is not None
    if place.kind == "jsonl":
        return JsonLines(files, place.name, encoding=source.encoding)
    if place.kind in {"csv", "tsv"}:
        delimiter = source.delimiter or ("\t" if place.kind == "tsv" else None)
        try:
            return Csv(files, place.name, delimiter=delimiter, encoding=source.encoding)
        except UnicodeError as error:  # for example UTF-16 without a mark of its byte order
            raise TableError(f"it is not {source.encoding}: {error}") from error
    if not place.real:
        # Libraries open these files by path: those of a commit have none, and those of an untrusted project get none.
        message = f"{place.name} is not read here: it is opened by its path on the disk"
        raise unreadable_error(audience, "unsupported-source", message, kind=AbsentAudienceError)
    from notifyctl.audience.duckdb import open_duckdb
    from notifyctl.audience.parquet import open_parquet
    from notifyctl.audience.sqlite import open_sqlite

    if place.kind == "parquet":
        return open_parquet(place.real)
    if not (source.sql or source.table):
        raise unreadable_error(
            audience,
            "unsupported-source",
            f"{place.name} is a database: name its `table`, or a query as `sql`",
        )
    select = source.sql or select_of(source.table)
    return (
        open_sqlite(place.real[0], select) if place.kind == "sqlite" else open_duckdb(place.real[0], select)
    )


def require_column(audience: Audience, column: str, header: Sequence[str], *, field: tuple[str, str]) -> None:
    if column not in header:
        from difflib import get_close_matches

        near = get_close_matches(column, header, n=1)
        raise unreadable_error(
            audience,
            "unknown-column",
            f"there is no column {column!r}; there are: {', '.join(header)}",
            hint=f"did you mean {near[0]!r}?" if near else None,
            field=field,
        )


def parse_where(audience: Audience, header: Sequence[str]) -> Condition | None:
    if audience.where is None:
        return None
    from notifyctl.audience.where import compile_where

    try:
        return compile_where(audience.where, header)
    except ValueError as error:
        raise bad_where_error(audience, error) from error


def filter_rows(audience: Audience, condition: Condition, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The rows for which `where` is true."""
    try:
        yield from condition.filter(chunks)
    except ValueError as error:
        raise bad_where_error(audience, error) from error


def bad_where_error(audience: Audience, error: Exception) -> ProjectError:
    hint = (
        "one boolean expression over the columns, which are texts: postcode like 'EC1M%' and age >= 18 and born::date >"
        " '2000-01-01'"
    )
    return unreadable_error(audience, "bad-where", str(error), hint=hint, field=("where",))


def table_error(audience: Audience, name: str, error: TableError) -> ProjectError:
    """The error of a source that cannot be read: at its place in the file, if it has one."""
    hint = error.hint
    table = audience.source.table if audience.source is not None else None
    if table is not None and "." in table and hint is None:
        hint = f"`table` is one name; for a table in a schema, use `sql: select * from {table}`"  # noqa: S608 - words
    if isinstance(error, OtherEncodingError):
        hint = f"write `source: {{file: {name}, encoding: {error.encoding}}}`, or {error.hint}"
    rule = "bad-row" if error.in_row else error.rule
    place = Location(name, error.line, error.column) if error.line else None
    message = str(error) if error.in_row else f"{name}: {error}"
    return unreadable_error(audience, rule, message, hint=hint, place=place)


def unreadable_error(
    audience: Audience,
    rule: str,
    message: str,
    *,
    hint: str | None = None,
    field: tuple[str, ...] = ("source",),
    place: Location | None = None,
    kind: type[ProjectError] = ProjectError,
) -> ProjectError:
    """`place`: where it is, if not at a field of the audience."""
    place = place or audience.positions.location(*field)
    return kind(
        f"the audience {audience.name!r} cannot be read: {message}",
        hint=hint,
        diagnostics=[Diagnostic(rule, Severity.ERROR, message, place, hint)],
    )
