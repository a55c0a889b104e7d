"""One audience in every form that is read gives the same people; what is hostile or broken ends in a sentence."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from notifyctl.audience import open_audience
from notifyctl.audience.compression import FREE
from notifyctl.audience.source import FORMATS, READ
from notifyctl.config.fields import Choice
from notifyctl.config.kinds.audience import SOURCE
from notifyctl.diagnostics import Location, Positions, Severity
from notifyctl.errors import AbsentAudienceError, ProjectError
from notifyctl.files import WorkingTree
from notifyctl.model.project import Audience, AudienceSource, ChannelName, Secret
from notifyctl.model.recipients import RowRejection

MARKS = Positions("people.yaml", {("source",): (4, 9)})
PEOPLE = [(f"+44770090{n:04}", f"Zoë {n}", n) for n in range(9)]
CSV = "phone,name,age\n" + "".join(f"{phone},{name},{age}\n" for phone, name, age in PEOPLE)
LINES = "".join(json.dumps({"phone": phone, "name": name, "age": age}) + "\n" for phone, name, age in PEOPLE)


def put_sqlite(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE people (phone, name, age INTEGER)")
        database.executemany("INSERT INTO people VALUES (?, ?, ?)", PEOPLE)
    database.close()


def put_duckdb(path: Path) -> None:
    import duckdb

    with duckdb.connect(str(path)) as database:
        database.execute("CREATE TABLE people (phone VARCHAR, name VARCHAR, age INTEGER)")
        database.executemany("INSERT INTO people VALUES (?, ?, ?)", PEOPLE)


def put_parquet(path: Path, start: int = 0, end: int = 9) -> None:
    import duckdb

    with duckdb.connect() as database:
        database.execute("CREATE TABLE people (phone VARCHAR, name VARCHAR, age INTEGER)")
        database.executemany("INSERT INTO people VALUES (?, ?, ?)", PEOPLE[start:end])
        database.execute(f"COPY people TO '{path}' (FORMAT parquet)")


def put_zstd(path: Path) -> None:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from backports import zstd
    path.write_bytes(zstd.compress(CSV.encode()))


FORMS: Mapping[str, tuple[Callable[[Path], object], AudienceSource]] = {
    "comma": (lambda path: path.write_text(CSV), AudienceSource("people.csv")),
    "semicolon": (lambda path: path.write_text(CSV.replace(",", ";")), AudienceSource("people.csv")),
    "bar": (lambda path: path.write_text(CSV.replace(",", "|")), AudienceSource("people.csv")),
    "tab in .csv": (lambda path: path.write_text(CSV.replace(",", "\t")), AudienceSource("people.csv")),
    "tab": (lambda path: path.write_text(CSV.replace(",", "\t")), AudienceSource("people.tsv")),
    "colon, as said": (
        lambda path: path.write_text(CSV.replace(",", ":")),
        AudienceSource("people.csv", delimiter=":"),
    ),
    "mark of UTF-8": (lambda path: path.write_text(CSV, "utf-8-sig"), AudienceSource("people.csv")),
    "UTF-16": (lambda path: path.write_text(CSV, "utf-16"), AudienceSource("people.csv")),
    "UTF-16, as said": (
        lambda path: path.write_text(CSV, "utf-16-le"),
        AudienceSource("people.csv", encoding="utf-16-le"),
    ),
    "cp1252": (lambda path: path.write_text(CSV, "cp1252"), AudienceSource("people.csv", encoding="cp1252")),
    "CR LF": (
        lambda path: path.write_bytes(CSV.replace("\n", "\r\n").encode()),
        AudienceSource("people.csv"),
    ),
    "CR": (lambda path: path.write_bytes(CSV.replace("\n", "\r").encode()), AudienceSource("people.csv")),
    "gzip": (lambda path: path.write_bytes(gzip.compress(CSV.encode())), AudienceSource("people.csv.gz")),
    "zstd": (put_zstd, AudienceSource("people.csv.zst")),
    "JSON Lines": (lambda path: path.write_text(LINES), AudienceSource("people.jsonl")),
    "JSON Lines in gzip": (
        lambda path: path.write_bytes(gzip.compress(LINES.encode())),
        AudienceSource("people.jsonl.gz"),
    ),
    "Parquet": (put_parquet, AudienceSource("people.parquet")),
    "SQLite table": (put_sqlite, AudienceSource("people.sqlite", table="people")),
    "SQLite query": (put_sqlite, AudienceSource("people.db", sql="SELECT * FROM people ORDER BY age;")),
    "DuckDB table": (put_duckdb, AudienceSource("people.duckdb", table="people")),
    "DuckDB query": (put_duckdb, AudienceSource("people.duckdb", sql="SELECT * FROM people ORDER BY age;")),
    "format said": (lambda path: path.write_text(LINES), AudienceSource("people.txt", format="jsonl")),
}


def read(
    root: Path, source: AudienceSource, *, environ: Mapping[str, str] | None = None, **parts: Any
) -> tuple[list[tuple[str, str | None]], list[tuple[RowRejection, int, str]]]:
    """Addresses with names, and who is nobody."""
    given = {"columns": {"msisdn": "phone"}, "substitutions": {"name": "name"}, **parts}
    audience = Audience("people", MARKS, source=source, **given)
    files = WorkingTree(root)
    reader = open_audience(audience, files, suppressed=frozenset(), fence=None, environ=environ)
    found = list(reader.batches(ChannelName.SMS))
    assert found == list(reader.batches(ChannelName.SMS)), "reading twice is the same"
    people = [pair for batch in found for pair in zip(batch.addresses, batch.values["name"], strict=True)]
    nobody = [(row.reason, row.row, row.detail) for batch in found for row in batch.excluded]
    return people, nobody


def refusal(root: Path, source: AudienceSource, **parts: Any) -> str:
    with pytest.raises(ProjectError) as told:
        read(root, source, **parts)
    [diagnostic] = told.value.diagnostics
    assert (diagnostic.location.file, diagnostic.location.line) == ("people.yaml", 4)
    return diagnostic.message


@pytest.mark.parametrize("form", FORMS)
def test_the_same_people_in_every_form(form: str, tmp_path: Path) -> None:
    put, source = FORMS[form]
    put(tmp_path / str(source.file))
    assert read(tmp_path, source) == ([(phone, name) for phone, name, _ in PEOPLE], [])


@pytest.mark.parametrize("form", FORMS)
def test_a_condition_reads_every_form(form: str, tmp_path: Path) -> None:
    put, source = FORMS[form]
    put(tmp_path / str(source.file))
    people, _ = read(tmp_path, source, where="CAST(age AS INTEGER) % 3 = 0")
    assert [name for _, name in people] == ["Zoë 0", "Zoë 3", "Zoë 6"]


def test_each_format_of_the_files_has_a_suffix_and_a_name() -> None:
    [choice] = [field.shape for field in SOURCE.fields if field.name == "format"]
    assert isinstance(choice, Choice)
    assert set(choice.values) == set(FORMATS.values())
    assert [value for value in choice.values if f"(.{value})" not in READ] == []


def test_several_parquet_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    put_parquet(tmp_path / "data" / "b.parquet", 5, 9)
    put_parquet(tmp_path / "data" / "a.parquet", 0, 5)
    put_parquet(tmp_path / "c.parquet", 0, 1)
    people, _ = read(tmp_path, AudienceSource("data/*.parquet"))
    assert people == [(phone, name) for phone, name, _ in PEOPLE]
    assert "there is no file" in refusal(tmp_path, AudienceSource("none/*.parquet"))


@pytest.mark.parametrize(
    "encoding",
    ["windows-1252", "windows-1250", "mac-roman", "cp850", "windows-1251", "utf-16-le"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_in_another_encoding_is_refused_once_and_its_encoding_named(
    encoding: str, end: str, tmp_path: Path
) -> None:
    names = {
        "windows-1250": "Łukasz Wałęsa",
        "windows-1251": "Привет",
    }
    text = CSV.replace("Zoë", names.get(encoding, "Zoë Müller, Málaga".replace(",", ""))).replace("\n", end)
    (tmp_path / "people.csv").write_bytes(text.encode(encoding))
    with pytest.raises(ProjectError) as told:
        read(tmp_path, AudienceSource("people.csv"))
    [diagnostic] = told.value.diagnostics
    assert encoding in diagnostic.message
    assert (diagnostic.location.file, diagnostic.severity) == ("people.csv", Severity.ERROR)
    assert diagnostic.location.line == (1 if encoding == "utf-16-le" else 2)
    assert f"source: {{file: people.csv, encoding: {encoding}}}" in str(diagnostic.hint)
    people, nobody = read(tmp_path, AudienceSource("people.csv", encoding=encoding))
    assert (len(people), nobody) == (len(PEOPLE), [])


def test_another_encoding_in_a_column_that_nobody_reads_hurts_nobody(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes("phone,name,age\n+447700900001,Ada,é\n".encode("latin-1"))
    assert read(tmp_path, AudienceSource("people.csv")) == ([("+447700900001", "Ada")], [])
    with pytest.raises(ProjectError, match="windows-1252"):
        read(tmp_path, AudienceSource("people.csv"), where="age = 'x'")


def test_damage_in_a_file_that_is_utf_8_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(CSV.encode() + b"+447700900555,Zo\xeb,1\n")
    people, nobody = read(tmp_path, AudienceSource("people.csv"))
    assert len(people) == len(PEOPLE)
    assert nobody == [(RowRejection.BAD_ROW, 11, "'name' has bytes that are not in the file's encoding")]


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "people.csv.gz", "wb") as file:
        file.write(b"phone,name\n")
        for _ in range(2 * FREE // (1 << 20)):
            file.write(b"0" * (1 << 20))
    assert "decompresses to more than" in refusal(tmp_path, AudienceSource("people.csv.gz"))


@pytest.mark.parametrize(
    "data",
    [b"", b"phone,name\n", gzip.compress(CSV.encode(), mtime=0)[:-9]],
    ids=["empty", "plain", "cut"],
)
def test_what_is_no_gzip_or_breaks_off_is_no_audience(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "people.csv.gz").write_bytes(data)
    assert "people.csv.gz: " in refusal(tmp_path, AudienceSource("people.csv.gz"))


@pytest.mark.parametrize("suffix", ["parquet", "sqlite", "duckdb"])
def test_what_is_no_such_file_is_told(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"people.{suffix}").write_bytes(b"phone,name\n+447700900000,Ada\n")
    table = None if suffix == "parquet" else "people"
    assert f"people.{suffix}: " in refusal(tmp_path, AudienceSource(f"people.{suffix}", table=table))


HOSTILE = {
    "ATTACH DATABASE 'other.db' AS other": ("sqlite", "duckdb"),
    "PRAGMA user_version": ("sqlite",),
    "PRAGMA database_list": ("duckdb",),
    "DELETE FROM people": ("sqlite", "duckdb"),
    "CREATE TABLE more (a)": ("sqlite",),
    "COPY people TO 'out.csv'": ("duckdb",),
    "INSTALL httpfs": ("duckdb",),
    "SET memory_limit = '100GB'": ("duckdb",),
    "SELECT 1; SELECT 2": ("sqlite", "duckdb"),
    "SELECT * FROM read_csv('/etc/passwd')": ("duckdb",),
    "SELECT content AS phone FROM read_text('/etc/passwd')": ("duckdb",),
    "SELECT * FROM glob('/*')": ("duckdb",),
    "SELECT load_extension('x.so') AS phone": ("sqlite",),
    "SELECT readfile('/etc/passwd') AS phone": ("sqlite",),
    "WITH RECURSIVE r(phone) AS (SELECT 1 UNION ALL SELECT phone + 1 FROM r) SELECT phone, phone AS name FROM r": (
        "sqlite",
        "duckdb",
    ),
    "SELECT repeat('x', 2000000000) AS phone": ("duckdb",),
    "SELECT lpad(name, 1000000000, 'x') AS phone FROM people": ("duckdb",),
    "SELECT length(repeat(name, 1000000000)) AS phone FROM people": ("duckdb",),
    "SELECT range(1000000000000) AS phone": ("duckdb",),
    "SELECT list_transform([1], lambda x: x) AS phone": ("duckdb",),
    "SELECT levenshtein(name, phone) AS phone FROM people": ("duckdb",),
    "SELECT name ~ '(x?){900}x{900}y' AS phone FROM people": ("duckdb",),
    "SELECT regexp_replace(name, 'x', 'xxxxxxxxxxxxxxxxxxxx') AS phone FROM people": ("duckdb",),
    "SELECT b || b AS phone FROM (SELECT c||c||c||c||c AS b FROM (SELECT name||name||name AS c FROM people))": (
        "duckdb",
    ),
    "SELECT sleep_ms(100000) AS phone": ("duckdb",),
    "SELECT getenv('HOME') AS phone": ("duckdb",),
    "SELECT current_setting('temp_directory') AS phone": ("duckdb",),
    "SELECT * FROM query('SELECT 1 AS phone')": ("duckdb",),
    "SELECT * FROM duckdb_settings()": ("duckdb",),
    "SELECT * FROM '/etc/passwd'": ("duckdb",),
    "SELECT * FROM read_blob('people.duckdb')": ("duckdb",),
    "SELECT * FROM sqlite_scan('people.sqlite', 'people')": ("duckdb",),
    "SELECT phone FROM people); DELETE FROM people; SELECT * FROM (SELECT 1": ("duckdb",),
    "EXPLAIN ANALYZE SELECT * FROM people": ("duckdb",),
    "ATTACH 'other.db'": ("duckdb",),
    "EXPORT DATABASE 'x'": ("duckdb",),
    "CALL pragma_version()": ("duckdb",),
    "LOAD 'x.so'": ("duckdb",),
    "VACUUM INTO 'out.db'": ("sqlite",),
    "SELECT * FROM pragma_table_info('people')": ("sqlite",),
    "SELECT zeroblob(1000000000) AS phone": ("sqlite",),
    "SELECT replace(hex(zeroblob(1000000)), '0', '00000000') AS phone": ("sqlite",),
    "SELECT group_concat(printf('%1000000d', 1)) AS phone FROM people": ("sqlite",),
    "SELECT " + ", ".join(f"1 AS c{n}" for n in range(1500)): ("sqlite", "duckdb"),
    "SELECT": ("sqlite", "duckdb"),
    "": ("sqlite", "duckdb"),
}


@pytest.mark.parametrize(("sql", "kind"), [(sql, kind) for sql, kinds in HOSTILE.items() for kind in kinds])
def test_a_query_reads_its_database_and_nothing_else(sql: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"people.{kind}"
    (put_sqlite if kind == "sqlite" else put_duckdb)(path)
    before = path.read_bytes()
    assert refusal(tmp_path, AudienceSource(path.name, sql=sql), substitutions={})
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "made",
    [
        "CREATE VIEW shown AS WITH RECURSIVE r(phone) AS (SELECT 1 UNION ALL SELECT phone + 1 FROM r) FROM r",
        "CREATE VIEW shown AS SELECT repeat(phone, 1000000000) AS phone FROM people",
        "CREATE VIEW shown(phone) AS SELECT repeat(phone, 1000000000) FROM people",
        "CREATE VIEW shown AS SELECT content AS phone FROM read_text('/etc/passwd')",
        "CREATE MACRO upper(x) AS repeat(x, 1000000000); CREATE VIEW shown AS SELECT upper(phone) AS phone FROM people",
        "CREATE TABLE shown (a VARCHAR, phone VARCHAR GENERATED ALWAYS AS (repeat(a, 1000000000)))",
    ],
)
def test_a_file_hides_nothing_from_its_judge(made: str, tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "people.duckdb"
    put_duckdb(path)
    with duckdb.connect(str(path)) as database:
        try:
            database.execute(made)
        except duckdb.Error:
            return  # the engine itself does not take it
    assert refusal(tmp_path, AudienceSource(path.name, table="shown"))
    assert refusal(tmp_path, AudienceSource(path.name, sql="SELECT a.* FROM people, shown a"))


def test_usual_queries_are_allowed(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "people.duckdb"
    put_duckdb(path)
    with duckdb.connect(str(path)) as database:
        database.execute('CREATE VIEW "of AS age" (phone, name, age) AS SELECT phone, name, age FROM people')
    sql = """
        WITH old AS (SELECT phone, trim(upper(name)) AS name, row_number() OVER (PARTITION BY phone ORDER BY age) AS nth
                     FROM "of AS age" WHERE age >= 7 AND name LIKE 'Z%' AND date_part('year', current_date) > 2000)
        SELECT phone, max(name) AS name, count(*) AS n FROM old, unnest([1]) WHERE nth = 1 GROUP BY ALL ORDER BY phone"""
    people, _ = read(tmp_path, AudienceSource(path.name, sql=sql))
    assert [name for _, name in people] == ["ZOË 7", "ZOË 8"]


LONG_QUERIES = {
    "sqlite": "SELECT max(a.msisdn) AS phone, 'Ada' AS name FROM many a, many b, many c",
    "duckdb": "SELECT '+447700900123' AS phone, count(*) AS name FROM range(100000) a, range(10000000) b"
    " WHERE a.range % 7 = b.range % 11",
}


@pytest.mark.parametrize("kind", LONG_QUERIES)
def test_an_interrupted_query_is_an_interrupt_and_no_problem_of_the_file(kind: str, tmp_path: Path) -> None:
    if kind == "sqlite":
        with closing(sqlite3.connect(tmp_path / "people.sqlite")) as database, database:
            database.execute("CREATE TABLE many (msisdn TEXT)")
            database.executemany("INSERT INTO many VALUES (?)", [("x",)] * 3000)
    else:
        put_duckdb(tmp_path / "people.duckdb")
    timer = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            read(tmp_path, AudienceSource(file=f"people.{kind}", sql=LONG_QUERIES[kind]))
    finally:
        timer.cancel()
        timer.join()
        signal.signal(signal.SIGINT, handler)


def test_a_database_needs_a_table_or_a_query(tmp_path: Path) -> None:
    put_sqlite(tmp_path / "people.sqlite")
    assert "name its `table`" in refusal(tmp_path, AudienceSource("people.sqlite"))
    (tmp_path / "people.csv").write_text(CSV)
    assert "is not a database" in refusal(tmp_path, AudienceSource("people.csv", table="people"))
    assert "no such table" in refusal(tmp_path, AudienceSource("people.sqlite", table="nobody"))


# What nobody reads, and what is no text


def put_odd_sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE people (phone, name, odd)")
        for phone, name, odd in (*ODD_ROWS, ("+447700900003", "Eve", b"x" * (5 << 20))):
            database.execute("INSERT INTO people VALUES (?, ?, ?)", (phone, name, odd))


def put_odd_duckdb(path: Path, into: str = "") -> None:
    import duckdb

    with duckdb.connect(":memory:" if into else str(path)) as database:
        database.execute(
            "CREATE TABLE people AS SELECT * FROM (VALUES ('+447700900001', 'Ada', ['a']), ('+447700900002', 'Bea', NULL))"
            " AS people (phone, name, odd)"
        )
        if into:
            database.execute(f"COPY people TO '{path}' (FORMAT parquet)")


ODD_ROWS: list[tuple[str, str, object]] = [
    ("+447700900001", "Ada", b"\0\xff"),
    ("+447700900002", "Bea", None),
]
ODD_LINES = (
    '{"phone": "+447700900001", "name": "Ada", "odd": ["a"]}\n{"phone": "+447700900002", "name": "Bea"}\n'
)
ODD: Mapping[str, tuple[Callable[[Path], object], AudienceSource]] = {
    "CSV": (
        lambda path: path.write_bytes(
            "phone,name,odd,é\n+447700900001,Ada,a\0b,\n+447700900002,Bea,,\n".encode()
        ),
        AudienceSource("people.csv"),
    ),
    "JSON Lines": (lambda path: path.write_text(ODD_LINES), AudienceSource("people.jsonl")),
    "SQLite": (put_odd_sqlite, AudienceSource("people.sqlite", table="people")),
    "SQLite query": (put_odd_sqlite, AudienceSource("people.sqlite", sql="SELECT * FROM people -- all\n;")),
    "DuckDB": (put_odd_duckdb, AudienceSource("people.duckdb", table="people")),
    "Parquet": (lambda path: put_odd_duckdb(path, "parquet"), AudienceSource("people.parquet")),
}


@pytest.mark.parametrize("form", ODD)
def test_a_value_that_nobody_reads_loses_nobody(form: str, tmp_path: Path) -> None:
    put, source = ODD[form]
    put(tmp_path / str(source.file))
    people, nobody = read(tmp_path, source, where="name <> 'Eve'")
    assert (people, nobody) == ([("+447700900001", "Ada"), ("+447700900002", "Bea")], [])


@pytest.mark.parametrize("form", ODD)
def test_every_column_is_a_variable_and_those_that_no_text_names_are_not_read(
    form: str, tmp_path: Path
) -> None:
    put, source = ODD[form]
    put(tmp_path / str(source.file))
    audience = Audience("people", MARKS, source=source, columns={"msisdn": "phone"})
    reader = open_audience(audience, WorkingTree(tmp_path), suppressed=frozenset(), fence=None)
    assert {"name", "odd"} <= set(reader.variables)
    (batch,) = reader.batches(ChannelName.SMS, {"name"})
    assert (list(batch.values), batch.values["name"][:2], batch.excluded) == (["name"], ["Ada", "Bea"], [])


@pytest.mark.parametrize("form", ODD)
@pytest.mark.parametrize("where", [None, "odd is null or odd <> 'x'"])
def test_a_value_that_is_read_and_no_text_rejects_its_row(
    form: str, where: str | None, tmp_path: Path
) -> None:
    put, source = ODD[form]
    put(tmp_path / str(source.file))
    if "SQLite" in form:
        source = AudienceSource("people.sqlite", sql="SELECT * FROM people WHERE name <> 'Eve'")
    substitutions = {"name": "name", **({} if where else {"odd": "odd"})}
    people, nobody = read(tmp_path, source, substitutions=substitutions, where=where)
    assert people == [("+447700900002", "Bea")]
    [(reason, _, why)] = nobody
    assert reason is RowRejection.BAD_ROW
    assert why == (
        "'odd' contains a NUL character" if form == "CSV" else "'odd' is neither a text nor a number"
    )


def test_numbers_that_are_none_are_no_text(tmp_path: Path) -> None:
    import duckdb

    with duckdb.connect(str(tmp_path / "people.duckdb")) as database:
        database.execute(
            "CREATE TABLE people AS SELECT * FROM (VALUES ('+447700900001', 'nan'::DOUBLE, 'infinity'::TIMESTAMP),"
            " ('+447700900002', 1.5, '2026-11-01')) AS people (phone, name, since)"
        )
    (tmp_path / "people.jsonl").write_text(
        '{"phone": "+447700900001", "name": NaN}\n{"phone": "+447700900002", "name": 1.5}'
    )
    for source in (AudienceSource("people.duckdb", table="people"), AudienceSource("people.jsonl")):
        people, nobody = read(tmp_path, source)
        assert people == [("+447700900002", "1.5")]
        assert [why for _, _, why in nobody] == ["'name' is NaN or infinity, which is not a valid value"]


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "UTC"])
def test_times_with_a_zone_are_written_in_utc_on_every_machine(zone: str, tmp_path: Path) -> None:
    import duckdb

    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'Europe/Berlin'")
        made = "SELECT '+447700900001' AS phone, TIMESTAMPTZ '2026-11-01 10:00:00+02' AS name"
        database.execute(f"COPY ({made}) TO '{tmp_path / 'people.parquet'}' (FORMAT parquet)")
    with duckdb.connect(str(tmp_path / "people.duckdb")) as database:
        database.execute(f"CREATE TABLE people AS {made}")
    program = (
        "import sys; from pathlib import Path; from tests.unit.audience.test_sources import *;"
        "print(*(read(Path(sys.argv[1]), source)[0][0][1] for source in"
        " (AudienceSource('people.parquet'), AudienceSource('people.duckdb', table='people'))), sep='|')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "TZ": zone, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "2026-11-01 08:00:00+00|2026-11-01 08:00:00+00"


# A real server


@pytest.fixture(scope="module")
def postgres(postgres_server: str) -> str:
    """The URL of a server with the table `people`."""
    import psycopg

    with psycopg.connect(postgres_server) as connection:
        connection.execute("DROP TABLE IF EXISTS people")
        connection.execute("CREATE TABLE people (phone text, name text, age integer)")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO people VALUES (%s, %s, %s)", PEOPLE)
    return postgres_server


QUERY = AudienceSource(
    sql="SELECT * FROM people WHERE name LIKE 'Zoë%' ORDER BY age", url=Secret(env="CRM_URL")
)


def test_postgresql_gives_the_same_people(postgres: str, tmp_path: Path) -> None:
    people, nobody = read(tmp_path, QUERY, environ={"CRM_URL": postgres})
    assert (people, nobody) == ([(phone, name) for phone, name, _ in PEOPLE], [])
    table = AudienceSource(table="people", url=Secret(env="CRM_URL"))
    assert len(read(tmp_path, table, environ={"CRM_URL": postgres}, where="age <> '3'")[0]) == len(PEOPLE) - 1


def put_typed(url: str) -> None:
    """A table with a column of each kind of type that servers have and texts do not."""
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS typed")
        connection.execute("CREATE SCHEMA IF NOT EXISTS crm")
        connection.execute("CREATE TABLE IF NOT EXISTS crm.people AS SELECT * FROM people")
        connection.execute(
            "CREATE TABLE typed AS SELECT '+4477009001' || lpad(i::text, 2, '0') AS phone, 'Ada' AS name, array['a'] AS tags,"
            " '{\"a\": 1}'::jsonb AS object, '\"Ada\"'::json AS word, '1.50'::jsonb AS figure, '\\xff'::bytea AS bytes,"
            " (SELECT p FROM crm.people p LIMIT 1) AS pair, timestamptz '2026-11-01 10:00+02' AS since, timestamp 'infinity' AS never,"
            " time '24:00' AS midnight, date '0044-03-15 BC' AS ides, '-1 mon'::interval AS ago, 'NaN'::numeric AS nan,"
            " 447700900100.0 + i AS number, (447700900100.0 + i)::float8 AS double, 9.50::numeric AS price, true AS yes,"
            " int4range(1, 5) AS span, null::text AS nothing, array[true] AS flags, 'a'::char(3) AS padded"
            " FROM generate_series(1, 5) i"
        )


WRITTEN = {
    "word": "Ada",
    "figure": "1.50",
    "since": "2026-11-01 08:00:00+00",
    "midnight": "24:00:00",
    "ides": "0044-03-15 BC",
    "ago": "-1 mons",
    "price": "9.50",
    "yes": "true",
    "span": "[1,5)",
    "number": "447700900101.0",
    "double": "447700900101",
    "padded": "a",
}
"""A column of the table → its text."""
NO_TEXTS = {
    **dict.fromkeys(("tags", "object", "bytes", "pair", "flags"), "is neither a text nor a number"),
    **dict.fromkeys(("never", "nan"), "is NaN or infinity, which is not a valid value"),
}
TYPED = AudienceSource(table="typed", url=Secret(env="CRM_URL"))


def test_what_nobody_reads_in_postgresql_loses_nobody(postgres: str, tmp_path: Path) -> None:
    put_typed(postgres)
    people, nobody = read(tmp_path, TYPED, environ={"CRM_URL": postgres})
    assert (len(people), nobody) == (5, [])


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_postgresql_writes_its_values_itself(
    zone: str | None, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_typed(postgres)
    if zone is not None:
        monkeypatch.setenv("PGTZ", zone)
        monkeypatch.setenv("PGDATESTYLE", "German")
    for column, text in WRITTEN.items():
        people, nobody = read(tmp_path, TYPED, environ={"CRM_URL": postgres}, substitutions={"name": column})
        assert (people[0][1], nobody) == (text, []), column
    for column, why in NO_TEXTS.items():
        people, nobody = read(tmp_path, TYPED, environ={"CRM_URL": postgres}, substitutions={"name": column})
        assert people == []
        assert {detail for _, _, detail in nobody} == {f"{column!r} {why}"}


def test_rows_of_a_database_are_told_by_their_number(postgres: str, tmp_path: Path) -> None:
    sql = "SELECT * FROM (VALUES ('+447700900001', 'Ada'), ('none', 'Bea'), ('+447700900001', 'Eve')) AS p (phone, name)"
    put_sqlite(tmp_path / "people.sqlite")
    url = Secret(env="CRM_URL")
    sources = {
        (Location("people.yaml", 4, 9), "the query"): AudienceSource(sql=sql, url=url),
        (Location("people.sqlite"), "the query"): AudienceSource(
            "people.sqlite",
            sql=sql.replace(" AS p (phone, name)", "").replace("*", "column1 AS phone, column2 AS name"),
        ),
    }
    for (place, named), source in sources.items():
        audience = Audience("people", MARKS, source=source, columns={"msisdn": "phone"})
        reader = open_audience(
            audience, WorkingTree(tmp_path), suppressed=frozenset(), fence=None, environ={"CRM_URL": postgres}
        )
        (batch,) = reader.batches(ChannelName.SMS)
        assert [(row.location, row.detail.partition(" invalid")[0], row.row) for row in batch.excluded] == [
            (place, f"row 2 of {named}: msisdn:", 2),
            (place, f"row 3 of {named}: same number as in row 1; this row is skipped", 3),
        ]


def test_a_table_of_a_schema_is_named_in_a_query(postgres: str, tmp_path: Path) -> None:
    put_typed(postgres)
    source = AudienceSource(table="crm.people", url=Secret(env="CRM_URL"))
    with pytest.raises(ProjectError, match="does not exist") as told:
        read(tmp_path, source, environ={"CRM_URL": postgres})
    assert "sql: select * from crm.people" in str(told.value.hint)
    people, _ = read(
        tmp_path,
        AudienceSource(sql="select * from crm.people", url=source.url),
        environ={"CRM_URL": postgres},
    )
    assert len(people) == len(PEOPLE)


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE people",
        "SELECT * FROM people; DROP TABLE people",
        "SELECT * FROM people; COMMIT; DROP TABLE people",
        "WITH gone AS (DELETE FROM people RETURNING *) SELECT * FROM gone",
        "COPY people TO '/tmp/people.csv'",
        "SELECT nobody FROM people",
    ],
)
def test_postgresql_is_only_read(sql: str, postgres: str, tmp_path: Path) -> None:
    import psycopg

    source = AudienceSource(sql=sql, url=Secret(env="CRM_URL"))
    assert "the query failed: " in refusal(tmp_path, source, environ={"CRM_URL": postgres})
    with psycopg.connect(postgres) as connection:
        assert connection.execute("SELECT count(*) FROM people").fetchone() == (len(PEOPLE),)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reader:canary@127.0.0.1:1/crm",
        "postgresql://reader:canary@[/crm",
        "mysql://reader:canary@127.0.0.1/crm",
    ],
)
def test_a_database_that_is_not_there_is_told_without_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as told:
        read(tmp_path, QUERY, environ={"CRM_URL": url})
    assert "canary" not in f"{told.value} {told.value.diagnostics}"


def test_no_database_is_asked_where_there_are_no_secrets(tmp_path: Path) -> None:
    with pytest.raises(AbsentAudienceError):
        read(tmp_path, QUERY)
