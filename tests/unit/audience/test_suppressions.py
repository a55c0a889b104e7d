"""Lists of people who are not written to: what a row is about, when, and by which hash."""

from __future__ import annotations

import hmac
from datetime import UTC, date, datetime
from typing import Any

import pytest

from notifyctl.audience import SuppressionLists
from notifyctl.diagnostics import Location
from notifyctl.errors import SettingsError
from notifyctl.hashing import RecipientHasher
from notifyctl.model.project import Category, ChannelName, Secret, SuppressionList
from notifyctl.testing import MemoryFiles

HERE = Location("notifyctl.yaml", 7, 3)
ADA, GRACE = "+447700900001", "+447700900002"
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def listed(file: str = "a.csv", **parts: Any) -> SuppressionList:
    return SuppressionList(file, HERE, **parts)


def reasons(
    text: str,
    *addresses: str,
    channel: ChannelName = ChannelName.SMS,
    category: Category = Category.MARKETING,
    now: datetime = NOON,
    environ: dict[str, str] | None = None,
    by_ledger: RecipientHasher | None = None,
    **parts: Any,
) -> list[str | None]:
    given = listed(**parts)
    lists = SuppressionLists(MemoryFiles({"a.csv": text}), environ, by_ledger)
    assert list(lists.problems([given])) == []
    out = lists.of([given], channel, category, now)
    return [out.reason(address) for address in addresses]


def problems(text: str, **parts: Any) -> list[tuple[str, str, int]]:
    lists = SuppressionLists(MemoryFiles({"a.csv": text}))
    return [(p.rule, p.location.file, p.location.line) for p in lists.problems([listed(**parts)])]


@pytest.mark.parametrize(
    "text",
    [
        "+44 7700 900001\n",
        "# those who wrote\n447700900001\n\nada@reader.example\n",
        "msisdn,remark\n+447700900001,letter\n",
        "remark;Address\nletter;+447700900001\n",
        "msisdn,email\n+447700900001,ada@reader.example\n",
    ],
)
def test_a_list_with_and_without_a_header(text: str) -> None:
    assert reasons(text, ADA, GRACE) == ["opted-out", None]


@pytest.mark.parametrize(
    ("row", "covered"),
    [
        ("sms,,,", True),
        ("email,,,", False),
        (",marketing,,", True),
        (",Transactional,,", False),
        (",,2026-12-01,", True),
        (",,2026-12-02,", False),
        (",,2026-12-01T12:00Z,", True),
        (",,2026-12-01T12:00:01Z,", False),
        (",,,2026-12-01", True),
        (",,,2026-11-30", False),
        (",,,2026-12-01T12:00Z", False),
        (",,,2026-12-01T13:30+01:00", True),
    ],
)
def test_a_row_is_about_a_channel_a_category_and_a_time(row: str, *, covered: bool) -> None:
    text = f"msisdn,channel,category,since,until\n+447700900001,{row}\n"
    assert reasons(text, ADA) == ["opted-out" if covered else None]


def test_what_a_row_does_not_say_its_list_does() -> None:
    text = "msisdn,channel,reason\n+447700900001,,\n+447700900002,email,complaint\n"
    parts: dict[str, Any] = {"channels": (ChannelName.SMS,), "reason": "by post", "until": date(2026, 12, 31)}
    assert reasons(text, ADA, GRACE, **parts) == ["opted-out: by post", None]
    assert reasons(text, ADA, GRACE, channel=ChannelName.EMAIL, **parts) == [None, "opted-out: complaint"]
    assert reasons(text, ADA, now=datetime(2027, 1, 1, tzinfo=UTC), **parts) == [None]


def test_several_lists_add_up_and_the_first_reason_counts() -> None:
    files = MemoryFiles({"a.csv": f"{ADA}\n", "b.csv": f"msisdn,reason\n{ADA},later\n{GRACE},later\n"})
    lists = SuppressionLists(files)
    out = lists.of([listed(), listed("b.csv")], ChannelName.SMS, Category.MARKETING, NOON)
    assert [out.reason(ADA), out.reason(GRACE)] == ["opted-out", "opted-out: later"]


def test_a_hashed_list_is_made_with_hmac_sha_256_of_the_normalised_address() -> None:
    whole = hmac.digest(b"a key", ADA.encode(), "sha256").hex()
    text = f"hash,reason\n{whole},complaint\n{hmac.digest(b'a key', GRACE.encode(), 'sha256').hex()[:32].upper()},\n"
    key = Secret(env="SUPPRESSION_KEY")
    environ = {"SUPPRESSION_KEY": "a key\n"}
    assert reasons(text, ADA, GRACE, key=key, environ=environ) == ["opted-out: complaint", "opted-out"]
    assert reasons(text, ADA, key=key, environ={"SUPPRESSION_KEY": "another"}) == [None]
    assert reasons(text, ADA, key=key) == [None], "lint has no key"
    with pytest.raises(SettingsError, match="SUPPRESSION_KEY"):
        reasons(text, ADA, key=key, environ={})


def test_a_list_of_the_ledgers_hashes_needs_the_ledger() -> None:
    hasher = RecipientHasher(b"of the ledger")
    text = f"hash\n{hasher([ADA])[0].hex()}\n"
    lists = SuppressionLists(MemoryFiles({"a.csv": text}), None, hasher)
    out = lists.of([listed(by_ledger=True)], ChannelName.SMS, Category.MARKETING, NOON)
    assert [out.reason(ADA), out.reason(GRACE)] == ["opted-out", None]
    assert not SuppressionLists(MemoryFiles({"a.csv": text})).of(
        [listed(by_ledger=True)], ChannelName.SMS, Category.MARKETING, NOON
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("msisdn\nnonsense\n", 2),
        ("msisdn,channel\n+447700900001,fax\n", 2),
        ("msisdn,category\n+447700900001,news\n", 2),
        ("msisdn,since\n\n+447700900001,2026-13-01\n", 3),
        ("msisdn,until\n+447700900001,soon\n", 2),
    ],
)
def test_a_row_that_cannot_be_read_is_an_error_at_its_line(text: str, line: int) -> None:
    assert problems(text) == [("bad-suppression", "a.csv", line)]


def test_hashes_need_a_key_and_their_digits() -> None:
    key = Secret(env="SUPPRESSION_KEY")
    assert problems("hash\nabc\n", key=key) == [("bad-suppression", "a.csv", 2)]
    assert problems(f"hash\n{'x' * 64}\n", key=key) == [("bad-suppression", "a.csv", 2)]
    assert problems(f"hash\n{'0' * 64}\n") == [("bad-suppression", "notifyctl.yaml", 7)]


@pytest.mark.parametrize(
    ("text", "rule", "where"),
    [
        ('msisdn,reason\n+447700900001,"letter\n', "bad-suppression", Location("a.csv", 2, 15)),
        ("msisdn,reason\n+447700900001,a,b,c\n", "unreadable-file", Location("a.csv", 2, 1)),
        ("", "unreadable-file", HERE),
        ("msisdn,msisdn\n+447700900001,\n", "unreadable-file", HERE),
    ],
)
def test_what_breaks_a_whole_list_is_shown_at_its_line_if_it_has_one(
    text: str, rule: str, where: Location
) -> None:
    [problem] = SuppressionLists(MemoryFiles({"a.csv": text})).problems([listed()])
    assert (problem.rule, problem.location) == (rule, where)


def test_a_list_that_cannot_be_read_is_an_error_where_it_is_named() -> None:
    [problem] = SuppressionLists(MemoryFiles({})).problems([listed("missing.csv")])
    assert (problem.rule, problem.location) == ("unreadable-file", HERE)
