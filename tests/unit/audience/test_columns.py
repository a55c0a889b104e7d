"""An audience read by columns is the audience read row by row: the same people, and the same told of who is nobody."""

from __future__ import annotations

import gzip
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifyctl.audience import open_audience
from notifyctl.audience.columns import load
from notifyctl.audience.excluded import Excluded
from notifyctl.audience.opt_outs import OptOuts
from notifyctl.diagnostics import Positions
from notifyctl.errors import ProjectError
from notifyctl.files import WorkingTree
from notifyctl.hashing import RecipientHasher
from notifyctl.model.project import Audience, AudienceSource, ChannelName, Numbers
from notifyctl.ports import AudienceReader

MARKS = Positions("people.yaml", {})
ADDRESSES = st.one_of(
    st.integers(0, 30).map(lambda n: f"+4477009{n:05}"),
    st.integers(0, 30).map(lambda n: f"4477009{n:05}"),
    st.integers(0, 30).map(lambda n: f"+44 (0)7700 9{n:05}"),
    st.sampled_from(
        ["+33639980001", "0033639980001", "+12015550123", "+442079460000", "+44770", "+999123456789"]
    ),
    st.sampled_from(
        ["Ada@Reader.example", "ada@reader.example", "ada@", "zoë@büro.example", "a.b@x.example", ""]
    ),
    st.text(st.sampled_from("+0 9-("), max_size=6),
)
CELLS = st.one_of(st.integers(0, 30).map(str), st.text(st.sampled_from("aZ é\u00a0\t€'-"), max_size=4))
ROWS = st.lists(
    st.tuples(ADDRESSES, ADDRESSES, CELLS, CELLS, st.sampled_from(["", "", ",", ",,", " "])), max_size=12
)
CONDITIONS = st.sampled_from(
    [None, None, "age > 7", "age like '1%' or name is null", "length(name) = 2 and age <> ''"]
)
HASHER = RecipientHasher(b"a key")
SUPPRESSED = OptOuts(
    plain=[
        ("opted-out", {"+447700900003", "ada@reader.example"}),
        ("opted-out: complaint", {"+447700900003", "+447700900005"}),
    ],
    hashed=[("opted-out: by post", HASHER, set(HASHER(["+447700900005", "+447700900007", "+33639980001"])))],
)


def told(excluded: Excluded) -> object:
    listed = {reason: [(row.location, row.detail) for row in rows] for reason, rows in excluded.first.items()}
    return {each: count for each, count in excluded.counts.items() if count}, {
        k: v for k, v in listed.items() if v
    }


def by_rows(reader: AudienceReader, channel: ChannelName) -> tuple[list[object], object]:
    excluded, people = Excluded(), list[object]()
    for batch in reader.batches(channel):
        for row in batch.excluded:
            excluded.add(row)
        values = zip(*(batch.values[name] for name in reader.variables), strict=True)
        own = list(values) if reader.variables else [()] * len(batch)
        columns = (batch.lines, batch.addresses, batch.destinations, batch.locales, batch.suppressions, own)
        people += zip(*columns, strict=True)
    return people, told(excluded)


def by_columns(reader: AudienceReader, channel: ChannelName) -> tuple[list[object], object]:
    roster = load(reader, channel)
    with roster.engine as engine:
        assert getattr(reader, "plain", None) is None or engine.row("SELECT count(*) FROM duckdb_views()")
        values = "".join(f", {name}" for name in roster.values())
        people: list[object] = []
        for line, key, sent, locale, why, *own in engine.rows(
            f"SELECT line, key, sent, locale, suppression{values} FROM people ORDER BY n"
        ):
            people.append(
                (line, key, sent, locale, roster.suppressions[why - 1] if why else None, tuple(own))
            )
        return people, told(roster.excluded)


@pytest.mark.parametrize("channel", [ChannelName.SMS, ChannelName.EMAIL])
@settings(max_examples=60, deadline=None)
@given(
    rows=ROWS,
    condition=CONDITIONS,
    numbers=st.sampled_from(Numbers),
    fence=st.sampled_from([None, ("+4477*",), ("*@reader.example", "+336*")]),
    ends=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from([",", ";"]),
)
def test_both_ways_read_the_same(
    channel: ChannelName,
    rows: list[tuple[str, ...]],
    condition: str | None,
    numbers: Numbers,
    fence: tuple[str, ...] | None,
    ends: str,
    delimiter: str,
) -> None:
    lines = ["phone,mail,name,age", *(",".join(row[:4]) + row[4] for row in rows)]
    text = ends.join(lines).replace(",", delimiter) + ends
    with TemporaryDirectory() as folder:
        (Path(folder) / "people.csv").write_bytes(text.encode())
        audience = Audience(
            "people",
            MARKS,
            source=AudienceSource("people.csv"),
            columns={"msisdn": "phone", "email": "mail"},
            substitutions={"name": "name", "age": "age"},
            where=condition,
            numbers=numbers,
        )
        reader = open_audience(audience, WorkingTree(Path(folder)), suppressed=SUPPRESSED, fence=fence)
        assert by_columns(reader, channel) == by_rows(reader, channel)


UNEVEN = st.lists(
    st.sampled_from(
        [
            *',,,;\t \n\n\n\r"\0xyé\x1f\u2028\u3000',
            "\r\n",
            "\n+447700900001,",
            "\n447700900003,Ada,",
            "\n07700900003,Ada,",
            "\n0,Ada,",
            "\n44(x)7,Ada,",
            "\n(0)7-'7,Ada,",
            "\n12345,Ada,",
            '\n"+44 7700 900004","b",',
            '"c, ""d""",',
            "\n00447700900005,e,f",
            "\n+1,g,h\n",
            "\udcff",
            "\n\n",
        ]
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(
    written=UNEVEN,
    delimiter=st.sampled_from([",", ",", ";", "\t", "^", "]", "\\", "|"]),
    condition=st.sampled_from([None, None, "line <> '' and key is not null", "c1 = 'Ada' or width > 3"]),
    header=st.sampled_from(["msisdn,line,key", "c1,width,line,key,msisdn", '"msisdn","line",key', "msisdn"]),
)
@example(
    written=["\n447700900003\\ Ada\\x", "\x1f"], delimiter="\\", condition=None, header="msisdn,line,key"
)
def test_what_is_uneven_is_read_the_same(
    written: list[str], delimiter: str, condition: str | None, header: str
) -> None:
    text = (header + "".join(written)).replace(",", delimiter)
    with TemporaryDirectory() as folder:
        (Path(folder) / "people.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
        source = AudienceSource("people.csv", delimiter=delimiter)
        audience = Audience("people", MARKS, source=source, where=condition)
        try:
            reader = open_audience(audience, WorkingTree(Path(folder)), suppressed=frozenset(), fence=None)
        except ProjectError:
            return  # a header that is none, or without the column
        assert by_columns(reader, ChannelName.SMS) == by_rows(reader, ChannelName.SMS)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("p.csv", b'msisdn,name\n+447700900001,"' + b"x" * (5 << 20) + b'"\n+447700900002,b\n'),
        ("p.csv", b"msisdn,name\n+447700900001," + b"x" * (2 << 20) + b"\n+447700900002,b\r\n" * 2),
        ("p.csv", b'msisdn,name\n"",\0\n+447700900001,"' + b"x\n" * (2 << 20) + b'"\n+447700900002,b\n'),
        ("p.csv", b'msisdn,name\n+447700900001,"' + b'\n",' * (1 << 19)),
        ("p.csv", b"msisdn,name\n" + b'+447700900001,"a\nb"\n+447700900002,\xff\n' * 80_000),
        ("p.csv.gz", gzip.compress(b"msisdn,name\r\n" + b"+447700900001,Ada\r\n+44,\r\n" * 80_000)),
        ("p.csv", "msisdn;name\n+447700900001;Zoë\n\n447700900002;\n".encode("utf-16") * 1),
    ],
)
def test_what_is_large_is_read_the_same(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    audience = Audience("people", MARKS, source=AudienceSource(name))
    reader = open_audience(audience, WorkingTree(tmp_path), suppressed=frozenset(), fence=None)
    assert by_columns(reader, ChannelName.SMS) == by_rows(reader, ChannelName.SMS)
