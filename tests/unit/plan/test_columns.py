"""By columns or row by row: the same plan, the same digest, the same requests to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from notifyctl.diagnostics import Location, Positions
from notifyctl.ledger import recipient_hasher
from notifyctl.message import DeliveryHash, placeholders, resolve
from notifyctl.model.ledger import BatchRecord, BatchState
from notifyctl.model.message import Message
from notifyctl.model.project import (
    Audience,
    ChannelName,
    Environment,
    HandOff,
    Joiners,
    LocaleVariant,
    Notification,
    OnUnknown,
    Policy,
    Schedule,
    Template,
    Variable,
    Window,
)
from notifyctl.model.recipients import (
    ID_BYTES,
    MEMBER_BYTES,
    RecipientBatch,
    RejectedRow,
    RowRejection,
    Scope,
    Suppression,
)
from notifyctl.plan.build import Frame, build_plan
from notifyctl.plan.part import Part
from notifyctl.plan.plan import Plan
from notifyctl.plan.prices import Price, PriceList
from notifyctl.plan.standing import Known, PackedIds
from notifyctl.schedule.timing import Occurrence
from notifyctl.testing import whole

MARKS = Positions("n.yaml", {})
NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
KEY = b"k" * 32
VARIABLES = ("area", "name", "note")
ODD = st.sampled_from(["Ada", "Zoë", 'say "hi"', "back\\slash", "two\nlines", "a\r\nb", "", "€ and {x}", "日本", "😀", "שלום", "x" * 170, None])  # fmt: skip
TEXTS = st.sampled_from(
    [
        "Hi $(name)",
        "Hi $(name), no power in $(area). $(note)",
        "Price {$(area)} € " + "y" * 150 + "$(name)",
        "日本 $(name) $(name) " + "z" * 60,
        "😀 $(name)",
        "the same for all",
        "long " * 1000 + "$(note)",
        "",
    ]
)


@dataclass(frozen=True)
class Somebody:
    number: int
    values: tuple[str | None, ...]
    locale: str | None
    zone: str | None
    suppression: Suppression | None
    correlation: str | None

    @property
    def address(self) -> str:
        return f"+4477009{self.number:05}"


@dataclass(frozen=True)
class Crowd:
    """An audience in memory."""

    people: Sequence[Somebody]
    excluded: Sequence[RejectedRow]
    weight: int
    variables: Sequence[str] = VARIABLES
    file: str = "people.csv"

    def batches(self, channel: ChannelName) -> Iterator[RecipientBatch]:
        assert channel is ChannelName.SMS
        for start in range(0, max(len(self.people), 1), 3):
            some = self.people[start : start + 3]
            yield RecipientBatch(
                [each.address for each in some],
                [each.address.lstrip("+") if each.number % 2 else each.address for each in some],
                list(range(start + 2, start + 2 + len(some))),
                [each.locale for each in some],
                [each.zone for each in some],
                [each.correlation for each in some],
                [each.suppression for each in some],
                {name: [each.values[at] for each in some] for at, name in enumerate(VARIABLES)},
                self.excluded if start == 0 else (),
            )


people = st.lists(
    st.builds(
        Somebody,
        st.integers(0, 60),
        st.tuples(ODD, ODD, ODD),
        st.sampled_from([None, "fr", "fr-CA", "en"]),
        st.sampled_from([None, "Europe/Paris", "America/New_York", "No/Where"]),
        st.sampled_from([None, None, None, Suppression.OPTED_OUT, Suppression.FENCED]),
        st.sampled_from([None, "night-shift"]),
    ),
    max_size=12,
    unique_by=lambda each: each.number,
)


def composed(text: str, variant: str | None, shared: Mapping[str, str]) -> Message:
    content = {"type": "unicode", "text": text}
    names = tuple(sorted(placeholders(content)))
    return Message(
        ChannelName.SMS,
        "CNNECT",
        content=content,
        names=names,
        locale=variant,
        shared={name: value for name, value in shared.items() if name in names},
    )


@dataclass(frozen=True)
class Setting:
    part: Part
    frame: Frame


@st.composite
def scenes(draw: st.DrawFn) -> Setting:
    crowd = draw(people)
    texts = {None: draw(TEXTS), "fr": draw(TEXTS)}
    shared = draw(st.sampled_from([{}, {"note": ""}, {"name": 'the "default"', "note": "é"}]))
    messages = {variant: composed(text, variant, shared) for variant, text in texts.items()}
    template = Template(
        "t",
        ChannelName.SMS,
        MARKS,
        content={"type": "unicode", "text": "x"},
        locales={"fr": LocaleVariant()},
        variables=draw(st.sampled_from([None, (Variable("name", max_length=4), Variable("note"))])),
    )
    schedule = draw(
        st.sampled_from(
            [
                None,
                Schedule("s", MARKS, timezone="recipient", at=datetime(2026, 12, 1, 10)),
                Schedule("s", MARKS, timezone="recipient", window=Window(), hand_off=HandOff.PROVIDER),
            ]
        )
    )
    notification = Notification(
        "n",
        template,
        Audience("a", MARKS),
        MARKS,
        schedule=schedule,
        policy=Policy(
            max_segments=draw(st.sampled_from([None, 1])),
            max_growth_percent=draw(st.sampled_from([None, 20])),
        ),
        joiners=draw(st.sampled_from(Joiners)),
        on_unknown=draw(st.sampled_from(OnUnknown)),
    )
    scope = Scope("n", 1, "once", ChannelName.SMS)
    ids = {each.number: recipient_hasher(KEY)([each.address])[0] for each in crowd}
    hashes = {variant: DeliveryHash(message) for variant, message in messages.items()}

    def member(each: Somebody) -> bytes:
        variant = "fr" if (each.locale or "").startswith("fr") else None
        own = dict(zip(VARIABLES, each.values, strict=True))
        values = resolve(messages[variant], [own[name] for name in messages[variant].names])
        known = [hashes[variant].of(values), *hashes[variant].formers(values), b"other text!!"]
        return ids[each.number] + draw(st.sampled_from(known))[:12]

    batches = [
        BatchRecord(
            number,
            scope,
            draw(st.sampled_from(BatchState)),
            1,
            b"".join(map(member, some)),
            NOW,
            others={0: draw(st.sampled_from([BatchState.ACCEPTED, BatchState.REJECTED, BatchState.UNKNOWN]))}
            if draw(st.booleans())
            else {},
        )
        for number, some in enumerate(
            draw(
                st.lists(
                    st.lists(st.sampled_from(crowd), min_size=1, unique_by=lambda each: each.number),
                    max_size=4,
                )
            )
            if crowd
            else [],
            1,
        )
    ]
    served = (
        [
            member(each)
            for each in draw(st.lists(st.sampled_from(crowd), max_size=2, unique_by=lambda each: each.number))
        ]
        if crowd
        else []
    )
    some_ids = st.lists(st.sampled_from(sorted(ids.values())), unique=True) if ids else st.just([])
    recorded = draw(st.none() | some_ids)
    excluded = [
        RejectedRow(reason, Location("people.csv", line, 1), "told")
        for line, reason in enumerate(draw(st.lists(st.sampled_from(RowRejection), max_size=30)))
    ]
    part = Part(
        notification=notification,
        scope=scope,
        occurrence=Occurrence("once", None if schedule is None else datetime(2026, 12, 1, 10, tzinfo=UTC)),
        messages=messages,
        audience=Crowd(crowd, excluded, weight=0),
        locale="en",
        zone="UTC",
        standings=Known(batches=lambda: batches, served=lambda: served),
        recorded=None if recorded is None else PackedIds([b"".join(recorded)]),
        earlier=PackedIds([b"".join(draw(some_ids))]),
        baseline=draw(st.sampled_from([None, None, "had it by post"])),
        fresh_only=draw(st.booleans()),
    )
    prices = PriceList(
        {
            ChannelName.SMS: {
                "447700900": Price(Decimal("0.1"), "GBP"),
                "44770090003": Price(Decimal("0.2"), "EUR"),
            }
        }
    )
    environment = Environment("production", "webexconnect", MARKS)
    frame = Frame("acme", environment, "p", "l", NOW, prices=draw(st.sampled_from([None, prices])))
    return Setting(part, frame)


def requests(plan: Plan) -> list[Any]:
    return [
        (c.message.locale, c.envelope, c.not_after, whole(c.units).members, list(whole(c.units).destinations), list(map(list, whole(c.units).own)), list(whole(c.units).correlations))
        for c in plan.consignments
    ]  # fmt: skip


def entries(plan: Plan) -> list[Any]:
    return [list(each.entries()) for each in plan.effects]


def unordered(packed: bytes, size: int) -> list[bytes]:
    return sorted(packed[at : at + size] for at in range(0, len(packed), size))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenes(), st.booleans())
def test_both_ways_find_out_the_same(setting: Setting, hasher_in_sql: bool) -> None:  # noqa: FBT001
    hasher = recipient_hasher(KEY)
    identify = hasher if hasher_in_sql else (lambda addresses: hasher(list(addresses)))
    rows = build_plan(replace(setting.frame, columns_from=1), [setting.part], identify=identify)
    columns = build_plan(replace(setting.frame, columns_from=0), [setting.part], identify=identify)
    assert columns.notifications == rows.notifications
    assert entries(columns) == entries(rows)
    assert requests(columns) == requests(rows)
    assert columns.digest == rows.digest
    assert [unordered(each.held, ID_BYTES) for each in columns.openings] == [
        unordered(each.held, ID_BYTES) for each in rows.openings
    ]
    assert [unordered(each.members, MEMBER_BYTES) for each in columns.baselines] == [
        unordered(each.members, MEMBER_BYTES) for each in rows.baselines
    ]
    assert columns.diagnostics == rows.diagnostics
    assert columns.valid_until == rows.valid_until
