"""From a definition to batches of columns: every source, every blemish, and never an end before the last row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifyctl.audience import open_audience
from notifyctl.audience.readers import MAX_FIELD, MAX_LINE
from notifyctl.diagnostics import Location, Positions
from notifyctl.errors import ProjectError
from notifyctl.model.project import Audience, AudienceSource, ChannelName, InlineRecipient
from notifyctl.model.recipients import RecipientBatch, RowRejection, Suppression
from notifyctl.testing import MemoryFiles

MARKS = Positions(
    "lists/people.yaml", {("source",): (4, 9), ("columns", "msisdn"): (5, 18), ("where",): (6, 8)}
)
Bytes = bytes | str


def audience(file: str = "people.csv", **parts: Any) -> Audience:
    given: dict[str, Any] = {"source": AudienceSource(file=file), **parts}
    return Audience("people", MARKS, **given)


def batches(
    data: Bytes,
    *,
    file: str = "people.csv",
    channel: ChannelName = ChannelName.SMS,
    size: int = 4096,
    **parts: Any,
) -> list[RecipientBatch]:
    rules: dict[str, Any] = {name: parts.pop(name) for name in ("suppressed", "fence") if name in parts}
    reader = open_audience(
        audience(file, **parts),
        MemoryFiles({f"lists/{file}": data}),
        **{"suppressed": frozenset(), "fence": None, "batch_size": size, **rules},
    )
    found = list(reader.batches(channel))
    assert found == list(reader.batches(channel)), "reading twice is the same"
    return found


def people(data: Bytes, **parts: Any) -> list[tuple[str, dict[str, str | None]]]:
    return [
        (address, {name: column[n] for name, column in batch.values.items()})
        for batch in batches(data, **parts)
        for n, address in enumerate(batch.addresses)
    ]


def excluded(data: Bytes, **parts: Any) -> list[tuple[RowRejection, int]]:
    return [(row.reason, row.location.line) for batch in batches(data, **parts) for row in batch.excluded]


def refusal(data: Bytes, **parts: Any) -> tuple[str, Location, str]:
    with pytest.raises(ProjectError) as told:
        batches(data, **parts)
    (diagnostic,) = told.value.diagnostics
    return diagnostic.rule, diagnostic.location, diagnostic.message + str(diagnostic.hint)


ADA = [("+447700900001", {"name": "Ada"})]


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("people.csv", "msisdn,name\n+447700900001,Ada\n"),
        ("people.csv", b"\xef\xbb\xbfmsisdn,name\r\n+447700900001,Ada\r\n"),
        ("people.csv", 'msisdn,name\n"+44 7700 900001","Ada"'),
        ("people.tsv", "msisdn\tname\n+447700900001\tAda\n"),
        ("people.jsonl", '{"msisdn": "+447700900001", "name": "Ada"}\n\n'),
        ("people.jsonl", '{"msisdn": 447700900001, "name": "Ada"}'),
    ],
)
def test_sources(file: str, data: Bytes) -> None:
    assert people(data, file=file) == ADA


def test_columns_are_mapped_and_the_rest_are_variables_by_their_names() -> None:
    data = "phone,first,lang,zone,ref\n+447700900001,Ada,fr,Europe/Paris,r1\n"
    columns = {"msisdn": "phone", "locale": "lang", "timezone": "zone", "correlationId": "ref"}
    (batch,) = batches(data, columns=columns)
    assert (batch.locales, batch.timezones, batch.correlations) == (["fr"], ["Europe/Paris"], ["r1"])
    assert list(batch.values) == ["first"]
    (batch,) = batches(data, columns=columns, substitutions={"name": "first", "place": "zone"})
    assert batch.values == {"name": ["Ada"], "place": ["Europe/Paris"]}


def test_an_empty_cell_is_no_value() -> None:
    assert people("msisdn,name\n+447700900001,  \n") == [("+447700900001", {"name": None})]


def test_blemishes_are_told_with_the_line_of_the_file() -> None:
    data = (
        "msisdn,name\n"
        '+447700900001,"Ada\nLovelace"\n'  # one row on two lines
        "nonsense,B\n"
        ",C\n"
        "+447700900001,D\n"
        "+447700900005\n"
        "+447700900006,E,extra\n"
        "\n"
        "+447700900008,F\n"
    )
    assert excluded(data) == [
        (RowRejection.BAD_ADDRESS, 4),
        (RowRejection.NO_ADDRESS, 5),
        (RowRejection.DUPLICATE, 6),
        (RowRejection.BAD_ROW, 7),
        (RowRejection.BAD_ROW, 8),
    ]
    assert [address for address, _ in people(data)] == ["+447700900001", "+447700900008"]


@pytest.mark.parametrize(
    "row",
    [
        b"+447700900002,A\x00B",
        b"+447700900002,A\xff\xfe",
        b'+447700900002,"' + b"x" * (1 << 21) + b'"',
        b'+447700900002,"24" TV',
    ],
)
def test_rows_that_cannot_be_read_hide_nobody_after_them(row: bytes) -> None:
    data = "msisdn,name\n+447700900001,Zoë Brontë Müller\n".encode() + row + b"\n+447700900003,Grace\n"
    assert (RowRejection.BAD_ROW, 3) in excluded(data)
    assert people(data)[0][0] == "+447700900001"


def test_a_line_longer_than_any_row_is_skipped_and_counted() -> None:
    long = "x" * (3 * MAX_LINE + 5)
    data = f"msisdn,name\n+447700900001,Ada\n+447700900002,{long}\n+447700900003,Grace\n\n"
    assert excluded(data) == [(RowRejection.BAD_ROW, 3)]
    (batch,) = batches(data)
    assert (batch.addresses, batch.lines) == (["+447700900001", "+447700900003"], [2, 4])
    lines = f'{{"msisdn": "+447700900001"}}\n{{"msisdn": "{long}"}}\n{{"msisdn": "+447700900003"}}'
    assert excluded(lines, file="people.jsonl") == [(RowRejection.BAD_ROW, 2)]
    (batch,) = batches(lines, file="people.jsonl")
    assert (batch.addresses, batch.lines) == (["+447700900001", "+447700900003"], [1, 3])


FEW, MANY = "+447700900124,Grace\n+447700900125,Bob\n", "+447700900124,Grace\n" * (MAX_FIELD // 10)


@pytest.mark.parametrize(
    "below", [FEW, FEW * 2000, MANY], ids=["few", "more than a block", "more than a cell"]
)
@pytest.mark.parametrize(
    ("row", "column"),
    [
        ('+447700900123,"Ada', 15),
        ('+447700900123,"24"" TV', 15),
        ('+447700900123,"Ada "Countess" Lovelace', 15),
        ('"+447700900123,Ada', 1),
        ('"+447700900123","Ada', 17),
    ],
)
def test_a_quote_that_is_not_closed_is_an_error_where_it_opens(row: str, column: int, below: str) -> None:
    for last in ("", '+447700900126,"Eve"\n', '+447700900126,"Eve\n', 'Eve",+447700900126\n'):
        data = f"msisdn,name\n+447700900001,Ada\n{row}\n{below}{last}"
        rule, place, message = refusal(data)
        assert (rule, place) == ("bad-row", Location("lists/people.csv", 3, column))
        assert "a quote opens here" in message


@pytest.mark.parametrize(
    "data",
    [
        'name,msisdn\n"Ada,+447700900123\nGrace,+447700900124\nBob",+447700900125\n',
        'name,msisdn\n"Ada,+447700900123\nGrace",+447700900124\n',
        'msisdn,name\n+447700900123,"Ada\n+447700900124,Grace"\n',
        'msisdn,name\n+447700900123,"Ada\n+447700900124,Grace\n+447700900125,Bob "\n',
        'msisdn\n"+447700900123\n+447700900124"\n',
        'msisdn,name\n+447700900123,"Ada\n+447700900124,Grace","x",y\n',
    ],
)
def test_a_quoted_cell_that_takes_in_rows_is_an_error(data: str) -> None:
    rule, place, message = refusal(data)
    assert (rule, place.line) == ("bad-row", 2)
    assert "not closed before the rows below" in message


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('5" x 3"', '5" x 3"'),
        ('"5"" x 3"""', '5" x 3"'),
        ('"Ada" ', "Ada"),
        ('"London\nEC1M 4BH, UK"', "London\nEC1M 4BH, UK"),
        (
            '"Dear Ada,\ncall +44 7700 900555\nor write, thanks"',
            "Dear Ada,\ncall +44 7700 900555\nor write, thanks",
        ),
        ('"x"" ,y"', 'x" ,y'),
    ],
)
def test_quotes_that_mean_what_they_say(cell: str, value: str) -> None:
    data = f"msisdn,name,note\n+447700900123,{cell},n\n+447700900124,Grace,n\n"
    assert [row["name"] for _, row in people(data)] == [value, "Grace"]
    assert excluded(data) == []


@pytest.mark.parametrize(
    "data",
    [
        "sep=;\r\nmsisdn;name\r\n+447700900001;Ada\r\n",
        '"sep=,"\nmsisdn,name\n+447700900001,Ada\n',
        "sep=,\nmsisdn,name\n+447700900001,Ada\n",
        "SEP=\t\nmsisdn\tname\n+447700900001\tAda\n",
        "sep=;;\nmsisdn;name\n+447700900001;Ada\n",
        b"\xef\xbb\xbfsep=;\nmsisdn;name\n+447700900001;Ada\n",
        "sep=^\nmsisdn^name\n+447700900001^Ada\n",
    ],
)
def test_the_line_that_excel_writes_above_a_table(data: Bytes) -> None:
    assert people(data) == ADA
    text = data if isinstance(data, bytes) else data.encode()
    assert excluded(text + b"\n\nnonsense")[-1][1] == 6


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("msisdn,name,,,", "+447700900001,Ada,,,"),
        ("msisdn,name,,,", "+447700900001,Ada"),
        ("msisdn,name,,", "+447700900001,Ada,x,"),
        ("msisdn,,name,", "+447700900001,,Ada,"),
        ("msisdn, ,name", "+447700900001,x,Ada"),
        ("msisdn,name", "+447700900001,Ada,,"),
    ],
)
def test_columns_without_a_name_are_left_out(header: str, row: str) -> None:
    assert people(f"{header}\n{row}\n") == ADA
    assert excluded(f"{header}\n{row}\n") == []


def test_what_stands_beyond_the_header_is_a_row_that_cannot_be_read() -> None:
    assert excluded("msisdn,name,\n+447700900001,Ada,,x\n") == [(RowRejection.BAD_ROW, 2)]
    assert excluded("msisdn,name,\n+447700900001\n") == [(RowRejection.BAD_ROW, 2)]
    assert "names no column" in refusal(",,\n+447700900001,Ada,\n")[2]


def test_rows_that_are_left_out_come_in_batches_too() -> None:
    found = batches("msisdn\n" + "x\n" * 95, size=10)
    assert [len(batch.excluded) for batch in found] == [10] * 9 + [5]


@pytest.mark.parametrize("line", ["[1]", "{", '{"msisdn": {"a": 1}}', "nonsense", '"text"'])
def test_lines_that_are_no_object_hide_nobody(line: str) -> None:
    data = f'{{"msisdn": "+447700900001", "name": "Ada"}}\n{line}\n'
    assert excluded(data, file="people.jsonl") == [(RowRejection.BAD_ROW, 2)]
    assert people(data, file="people.jsonl") == ADA


@pytest.mark.parametrize(
    ("data", "file", "rule"),
    [
        ("", "people.csv", "unreadable-file"),
        ("msisdn,name,name\n", "people.csv", "unreadable-file"),
        ("nonsense", "people.jsonl", "unreadable-file"),
        ("x", "people.parquet", "unsupported-source"),
        ("x", "people", "unsupported-source"),
    ],
)
def test_what_cannot_be_read_as_a_whole(data: str, file: str, rule: str) -> None:
    assert refusal(data, file=file)[:2] == (rule, Location("lists/people.yaml", 4, 9))


def test_an_unknown_column_names_the_nearest() -> None:
    rule, place, message = refusal("phone,name\n", columns={"msisdn": "phon"})
    assert (rule, place.line) == ("unknown-column", 5)
    assert "'phone'" in message


def test_a_file_that_is_missing_or_out_of_reach() -> None:
    for named in ("nobody.csv", "../../etc/passwd", "/etc/passwd", ".."):
        assert (
            refusal("msisdn\n", file="people.csv", source=AudienceSource(file=named))[0] == "unreadable-file"
        )


def test_each_inline_address_is_a_recipient() -> None:
    entries = (
        InlineRecipient(Location("a.yaml", 5, 5), msisdn=("+447700900001",), substitutions={"name": "Ada"}),
        InlineRecipient(
            Location("a.yaml", 6, 5),
            msisdn=("+447700900002", "+447700900003", "+44 7700 900001"),
            correlation_id="shift",
            locale="fr",
            substitutions={"name": "team"},
        ),
        InlineRecipient(Location("a.yaml", 7, 5), email=("ada@acme.example",)),
    )
    reader = open_audience(
        Audience("a", MARKS, recipients=entries), MemoryFiles({}), suppressed=frozenset(), fence=None
    )
    (batch,) = reader.batches(ChannelName.SMS)
    assert batch.addresses == ["+447700900001", "+447700900002", "+447700900003"]
    assert batch.correlations == [None, "shift", "shift"]
    assert batch.values == {"name": ["Ada", "team", "team"]}
    assert [row.reason for row in batch.excluded] == [RowRejection.DUPLICATE, RowRejection.NO_ADDRESS]
    (batch,) = reader.batches(ChannelName.EMAIL)
    assert batch.addresses == ["ada@acme.example"]


def test_who_opted_out_or_is_fenced_off_stays_and_is_marked() -> None:
    data = "msisdn\n+447700900001\n+447700900002\n+33639980000\n"
    (batch,) = batches(data, suppressed=frozenset({"+447700900002"}), fence=("+4477009*",))
    assert batch.suppressions == [None, Suppression.OPTED_OUT, Suppression.FENCED]
    (batch,) = batches(
        "email\nAda@Acme.example\nx@other.example\n", channel=ChannelName.EMAIL, fence=("*@ACME.example",)
    )
    assert batch.suppressions == [None, Suppression.FENCED]


rows = st.lists(
    st.tuples(
        st.sampled_from(["+447700900001", "447700900002", "+447700900003", "", "x"]), st.sampled_from("ab")
    ),
    max_size=30,
)


@settings(max_examples=60)
@given(rows, st.integers(1, 7))
def test_the_size_of_batches_changes_nothing(given: list[tuple[str, str]], size: int) -> None:
    data = "msisdn,name\n" + "".join(f"{number},{name}\n" for number, name in given)
    assert people(data, size=size) == people(data)
    assert excluded(data, size=size) == excluded(data)
    total = sum(len(batch) + len(batch.excluded) for batch in batches(data, size=size))
    assert total == len(given)


WHERE = "msisdn,name,postcode\n+447700900001,Ada,EC1M 4BH\n+447700900002,Grace,ec1m 4bh\n+447700900003,Linus,NW1\n"


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("postcode like 'EC1M%'", 1),
        ("lower(postcode) like 'ec1m%'", 2),
        ("name = 'Ada' or name = 'Linus'", 2),
        ("name in ('Ada')", 1),
        ("length(name) > 4", 2),
        ("name is null", 0),
        ("1", 3),
        ("length(postcode) = 3", 1),
        ("LENGTH(postcode) between 2 and 4", 1),
        ("Name ilike 'a%'", 1),
        ("name not in ('Ada', 'Linus')", 1),
        ("name > 0", 0),
        ("right(msisdn, 1) in (1, 3)", 2),
        ("right(msisdn, 1) % 2 = 1", 2),
        ("right(msisdn, 1)::int = 2", 1),
        ("postcode ~ '^EC.M'", 1),
        ("case when name = 'Ada' then postcode like 'EC%' else false end", 1),
        ("replace(postcode, ' ', '') = 'EC1M4BH'", 1),
        ("date '2026-01-01' + to_days(length(name)) > date '2026-01-05'", 2),
        ("coalesce(nullif(name, 'Ada'), 'Grace') = 'Grace'", 2),
    ],
)
def test_where_chooses(where: str, kept: int) -> None:
    assert len(people(WHERE, where=where)) == kept


@pytest.mark.parametrize("name", ["n", "N", "row", "row_", "people", "range", "unnest"])
def test_where_reads_a_column_of_any_name(name: str) -> None:
    """No name of the query around it is taken for the column."""
    data = f"msisdn,{name}\n+447700900001,2\n+447700900002,1\n+447700900003,0\n"
    assert [address for address, _ in people(data, where=f'"{name}" = 0')] == ["+447700900003"]
    assert [address for address, _ in people(data, where=f"\"{name}\" = '2'")] == ["+447700900001"]


@pytest.mark.parametrize(
    "where",
    [
        "name ==== 'x'",
        "nme = 'Ada'",
        "1) union select 1 from sqlite_master where (1",
        "exists (select 1 from sqlite_master)",
        "1; drop table people",
        "1 -- ",
        "1 /* */",
        "load_extension('x')",
        "readfile('/etc/passwd')",
        "randomblob(1000000000)",
        "zeroblob(1000000000) = name",
        "(with recursive t(n) as (select 1 union all select n + 1 from t) select count(*) from t) > 0",
        "name regexp '('",
        "",
        "'unclosed",
        "name = 'Ada' group by name",
        "name = 'Ada' limit 1",
        "name = 'Ada' as x",
        "name = 'Ada', name",
        "1) from people where (1",
        "name = ?",
        "name = $1",
        "count(*) > 1",
        "row_number() over () > 1",
        "people.name = 'Ada'",
        "columns(*) = 'Ada'",
        "list_transform([name], x -> x) is not null",
        "current_setting('threads') = '1'",
        "getenv('HOME') = 'x'",
        "length(repeat(name, 1000000000)) > 1",
        "length(lpad(name, 1000000000, 'x')) > 1",
        "length(replace(name, 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaa')) > 1",
        "range(1000000000000) is null",
        "random() > 0.5",
        "now() > '2026-01-01'",
        "current_date > '2026-01-01'",
        "name::JSON is null",
        "name::VARCHAR[] is null",
        "regexp_matches(name, '(')",
        "regexp_matches(name, postcode)",
        "name similar to postcode",
        "name ~ '(x?){900}x{900}y'",
        "name ~ '((x{10}){10}){10}'",
        f"name ~ '{'x?' * 1100}'",
        "levenshtein(name, postcode) < 3",
        f"length(concat({', '.join(['name'] * 11)})) > 1",
        " || ".join(["name"] * 12) + " = name",
        " and ".join(["upper(lower(name)) > name"] * 26),
        "not " * 900 + "name = name",
        "- " * 1900 + "1 > name",
        "1" + "::int::text" * 300 + " > name",
        "name + 1" + " + 1" * 900 + " > 1",
        "printf('%1000000000d', 1) = name",
        "format('{:>1000000000}', name) > name",
        "bar(1, 0, 1, 1000000000) = name",
        "string_agg(name) = name",
        "read_text('/etc/passwd') is null",
        "glob('/*') is null",
        "name glob (select 1)",
        "name = getvariable('x')",
        "set_config('x', 'y', true) = name",
        "nextval('x') = 1",
        "query('select 1') = name",
        "query_table('people') = name",
        "currval('x') = 1",
        "sleep_ms(100000) is null",
        "hash(name) > 1",
        "uuid() = name",
        "pragma_version() = name",
        "duckdb_settings() is null",
        "sniff_csv('/etc/passwd') is null",
        "error('x') is null",
        "write_log('x') is null",
        "name::BLOB is null",
        "name::BIT is null",
        "struct_pack(a := name) is null",
        "map([name], [name]) is null",
        "[name] = [name]",
        "{'a': name} is null",
        "name collate de = 'x'",
        "name = 'Ada' window w as ()",
        "name = 'Ada' union select true",
        "copy people to 'x'",
        "attach 'x.db'",
        "set threads = 1",
        "pragma threads = 1",
        "name = 1 or " * 1000 + "true",
    ],
)
def test_where_is_one_expression_and_can_reach_nothing(where: str) -> None:
    rule, place, _ = refusal(WHERE, where=where)
    assert (rule, place.line) == ("bad-where", 6)
