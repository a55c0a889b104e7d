"""The scan by columns finds what checking each recipient finds."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from notifyctl.channels.segments import is_unicode, segment
from notifyctl.lint.recipient_checks import RecipientChecker
from notifyctl.message.substitute import find_placeholders
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName, Variable
from notifyctl.model.recipients import RecipientBatch

NAMES = ("name", "area")
words = st.text(st.sampled_from("ab \t\u00a0\u20ac{\u00e7\U0001f600"), max_size=12)
values = st.one_of(st.none(), words, st.just("plain"))
pieces = st.sampled_from(
    ["$(name)", "$(area)", "Hello ", "\u20ac", "\u00e7", "\U0001f600", "x" * 1010, "$(unsubscribe)"]
)


def checker_of(
    text: str, kind: str, channel: ChannelName, shared: dict[str, str], longest: int | None
) -> RecipientChecker:
    names = tuple(sorted(find_placeholders(text) - {"unsubscribe"}))
    message = Message(
        channel=channel,
        sender="ACME",
        content={"type": kind, "text": text},
        options={},
        locale=None,
        names=names,
        shared={name: value for name, value in shared.items() if name in names},
    )
    return RecipientChecker(message, [Variable("name", max_length=longest)], profile="2021")


def one_by_one(
    checker: RecipientChecker, rows: Sequence[tuple[str | None, ...]]
) -> tuple[list[tuple[int, str]], int, int]:
    """Each recipient alone: problems, and size and position of the first longest text."""
    found, most, first = [], -1, -1
    for position, own in enumerate(rows):
        given_by_name = dict(zip(NAMES, own, strict=True))
        filled = [
            checker.message.shared.get(name) if given_by_name[name] is None else given_by_name[name]
            for name in checker.message.names
        ]
        found += [(position, finding.rule) for finding in checker.check(filled)]
        text = str((checker.message.content or {})["text"])
        for name, value in zip(checker.message.names, filled, strict=True):
            text = text.replace(f"$({name})", value or "")
        units = len(text)
        if checker.message.channel is ChannelName.SMS:
            units = segment(text, unicode=is_unicode(checker.message.content)).units
        if units > most:
            most, first = units, position
    return found, most, first


@given(
    text=st.lists(pieces, min_size=1, max_size=6).map("".join),
    kind=st.sampled_from(["text", "unicode"]),
    channel=st.sampled_from([ChannelName.SMS, ChannelName.RCS]),
    shared=st.dictionaries(st.sampled_from(NAMES), words, max_size=2),
    longest=st.one_of(st.none(), st.integers(1, 10)),
    rows=st.lists(st.tuples(values, values), min_size=1, max_size=12),
)
def test_a_scan_misses_nothing(
    text: str,
    kind: str,
    channel: ChannelName,
    shared: dict[str, str],
    longest: int | None,
    rows: list[tuple[str | None, ...]],
) -> None:
    checker = checker_of(text, kind, channel, shared, longest)
    count = len(rows)
    batch = RecipientBatch(
        [f"+4477009000{n:02}" for n in range(count)],
        [f"+4477009000{n:02}" for n in range(count)],
        range(2, count + 2),
        [None] * count,
        [None] * count,
        [None] * count,
        [None] * count,
        dict(zip(NAMES, zip(*rows, strict=True), strict=True)),
    )
    scan = checker.scan(batch, range(count))
    found = [(at, finding.rule) for at in scan.suspects for finding in checker.check(scan.values(at))]
    assert (found, scan.units, scan.longest) == one_by_one(checker, rows)
    some = [at for at in range(count) if at % 2 == 0]
    part = checker.scan(batch, some)
    expected = one_by_one(checker, [rows[at] for at in some])
    found = [(at, finding.rule) for at in part.suspects for finding in checker.check(part.values(at))]
    assert (found, part.units, part.longest) == expected
