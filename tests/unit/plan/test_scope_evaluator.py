"""The columns of a scope say what the single-value functions and the action table say of each recipient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifyctl.channels.segments import is_unicode, segment
from notifyctl.diagnostics import Location, Positions
from notifyctl.ledger import RecipientHasher
from notifyctl.message import DeliveryHash, Filler, find_placeholders, variant_for
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
    MEMBER_BYTES,
    RecipientBatch,
    RejectedRow,
    RowOrigin,
    RowRejection,
    Scope,
    Suppression,
)
from notifyctl.plan.actions import AUTHORISED, Action, Circumstances, decide
from notifyctl.plan.digest import baseline_key, shared_key
from notifyctl.plan.inputs import LedgerRecords, PlanContext, RecordedAudience, ScopeInput, ScopeRecords
from notifyctl.plan.prices import CostTally, Price, PriceList
from notifyctl.plan.samples import Samples
from notifyctl.plan.scope_evaluator import evaluate_scope
from notifyctl.plan.scope_result import GroupKey, ScopeResult, envelope
from notifyctl.plan.statuses import recipient_statuses
from notifyctl.recipients.zones import RecipientZones
from notifyctl.schedule.slots import Occurrence
from notifyctl.schedule.timing import Timing, evaluate_timing
from notifyctl.testing import whole
from tests.delivery_hashes import delivery_hash, legacy_hashes
from tests.recipient_values import resolve_values

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

    @property
    def destination(self) -> str:
        return self.address.lstrip("+") if self.number % 2 else self.address


PEOPLE_CSV = RowOrigin("people.csv")


@dataclass(frozen=True)
class Crowd:
    """An audience in memory."""

    people: Sequence[Somebody]
    excluded: Sequence[RejectedRow]
    variables: Sequence[str] = VARIABLES
    header: Sequence[str] = ()
    origin: RowOrigin = PEOPLE_CSV

    def batches(self, channel: ChannelName, names: Collection[str] | None = None) -> Iterator[RecipientBatch]:
        assert channel is ChannelName.SMS
        for start in range(0, max(len(self.people), 1), 3):
            some = self.people[start : start + 3]
            yield RecipientBatch(
                [each.address for each in some],
                [each.destination for each in some],
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
    names = tuple(sorted(find_placeholders(content)))
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
    scope_input: ScopeInput
    context: PlanContext
    crowd: Sequence[Somebody]
    batches: Sequence[BatchRecord]
    served: Sequence[bytes]
    recorded: Sequence[bytes] | None
    earlier: Sequence[bytes]
    renamed: Sequence[bytes]


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
                Schedule("s", MARKS, timezone="recipient", windows=(Window(),), hand_off=HandOff.PROVIDER),
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
    ids = {each.number: RecipientHasher(KEY)([each.address])[0] for each in crowd}
    hashes = {variant: DeliveryHash(message) for variant, message in messages.items()}

    def member(each: Somebody) -> bytes:
        variant = "fr" if (each.locale or "").startswith("fr") else None
        own = dict(zip(VARIABLES, each.values, strict=True))
        values = resolve_values(messages[variant], [own[name] for name in messages[variant].names])
        known = [
            delivery_hash(hashes[variant], values),
            *legacy_hashes(hashes[variant], values),
            b"other text!!",
        ]
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

    def some_members() -> list[bytes]:
        if not crowd:
            return []
        some = st.lists(st.sampled_from(crowd), max_size=2, unique_by=lambda each: each.number)
        return [member(each) for each in draw(some)]

    served, renamed = some_members(), some_members()
    some_ids = st.lists(st.sampled_from(sorted(ids.values())), unique=True) if ids else st.just([])
    recorded = draw(st.none() | some_ids)
    excluded = [
        RejectedRow(reason, Location("people.csv", line, 1), "told")
        for line, reason in enumerate(draw(st.lists(st.sampled_from(RowRejection), max_size=30)))
    ]
    earlier = draw(some_ids)
    lower = Scope("n", 0, "once", ChannelName.SMS)
    reached = BatchRecord(
        9, lower, BatchState.ACCEPTED, 1, b"".join(each + bytes(12) for each in earlier), NOW
    )
    scope_input = ScopeInput(
        notification=notification,
        scope=scope,
        occurrence=Occurrence("once", None if schedule is None else datetime(2026, 12, 1, 10, tzinfo=UTC)),
        messages=messages,
        audience=Crowd(crowd, excluded),
        locale="en",
        zone="UTC",
        records=LedgerRecords(
            batches=lambda: batches,
            served=lambda: served,
            recorded=None if recorded is None else RecordedAudience([b"".join(recorded)]),
            earlier=lambda: [reached],
            vanished={"gone": [ScopeRecords(scope, served=lambda: renamed)]},
        ),
        baseline=draw(st.sampled_from([None, None, "had it by post"])),
        recorded_baseline=draw(st.sampled_from([None, "had it by fax"])),
        higher_edition=draw(st.sampled_from([None, None, 7])),
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
    context = PlanContext("acme", environment, "p", "l", NOW, prices=draw(st.sampled_from([None, prices])))
    return Setting(scope_input, context, crowd, batches, served, recorded, earlier, renamed)


class OneByOne:
    """What a plan finds out about a scope, recipient by recipient."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.input = setting, setting.scope_input
        self.samples = Samples(self.input.messages)
        self.tally = CostTally(ChannelName.SMS, setting.context.prices)
        self.actions: Counter[tuple[Action, str | None]] = Counter()
        self.effects: list[tuple[bytes, str]] = []
        self.groups: dict[GroupKey, list[Any]] = {}
        self.held: list[bytes] = []
        self.served: list[bytes] = []
        self.segments = 0
        self.statuses = recipient_statuses(setting.batches)
        self.told_as_served = {each[:16] for each in setting.served}
        self.renamed = {(each[:16], each[16:28]) for each in setting.renamed}
        for somebody in setting.crowd:
            self.see(somebody)

    def see(self, somebody: Somebody) -> None:
        variant = variant_for(self.input.notification.template, somebody.locale or self.input.locale)
        message = self.input.messages[variant]
        given = dict(zip(VARIABLES, somebody.values, strict=True))
        own = tuple(given[name] for name in message.names)
        values = resolve_values(message, own)
        hasher, recipient = DeliveryHash(message), RecipientHasher(KEY)([somebody.address])[0]
        packed_hash = delivery_hash(hasher, values)
        problem, segments = self.problem(message, values)
        zone = RecipientZones(self.input.notification, self.input.zone).find(somebody.zone, somebody.address)
        when = self.when(zone.name)
        status = self.statuses.get(recipient)
        hashes = [each[:12] for each in (packed_hash, *legacy_hashes(hasher, values))]
        decision = decide(
            kind=status.kind if status else None,
            same=status is None or status.fingerprint in hashes,
            suppressed=somebody.suppression,
            blocked=problem or (None if when else "unknown-timezone"),
            joined=self.setting.recorded is not None and recipient not in self.setting.recorded,
            earlier=recipient in self.setting.earlier,
            served=recipient in self.told_as_served,
            renamed="gone" if (recipient, packed_hash[:12]) in self.renamed else None,
            circumstances=self.circumstances(when),
        )
        self.actions[decision.action, decision.reason] += 1
        member = recipient + packed_hash[:12]
        if decision.action in {Action.DEFERRED, Action.BLOCKED}:
            self.held.append(recipient)
        if decision.action is Action.BASELINE:
            self.served.append(member)
            self.effects.append((recipient + packed_hash, baseline_key(self.input.baseline)))
        if decision.action in AUTHORISED and when is not None:
            name = shared_key(decision.intent, when.not_before, when.expires)
            self.effects.append((recipient + packed_hash, name))
            self.segments += segments
            self.tally.add(somebody.address, 1, segments or 1)
        if decision.action in AUTHORISED or decision.action is Action.CHANGED:
            self.samples.counts[packed_hash] = self.samples.counts.get(packed_hash, 0) + 1
            if self.samples.counts[packed_hash] == 1:
                self.samples.texts += 1
                self.samples.show(packed_hash, (variant, decision.action, somebody.destination, values))
        if decision.action.sends and when is not None:
            key = GroupKey(variant, when.send_at, when.expire_at, when.validity, when.closes)
            sent = (member, somebody.destination, own, somebody.correlation)
            self.groups.setdefault(key, []).append(sent)

    def problem(self, message: Message, values: Sequence[str | None]) -> tuple[str | None, int]:
        notification = self.input.notification
        for name, value in zip(message.names, values, strict=True):
            if value is None:
                return f"missing-variable {name}", 0
        limits = {each.name: each.max_length for each in notification.template.variables or ()}
        for name, value in zip(message.names, values, strict=True):
            limit = limits.get(name)
            if limit is not None and len(value or "") > limit:
                return f"variable-too-long {name}", 0
        text = Filler(message).text("text", [value or "" for value in values])
        if len(text) > 1024:
            return "text-too-long", 0
        segments = segment(text, unicode=is_unicode(message.content)).segments
        most = notification.policy.max_segments if notification.policy else None
        return ("max-segments" if most is not None and segments > most else None), segments

    def when(self, zone: str) -> Timing | None:
        try:
            return evaluate_timing(
                self.input.notification.schedule, self.input.occurrence, zone=zone, now=NOW
            )
        except ZoneInfoNotFoundError:
            return None

    def circumstances(self, when: Timing | None) -> Circumstances:
        return Circumstances(
            expired=when.reason if when and when.state == "expired" else None,
            deferred=when.reason if when and when.state == "deferred" else None,
            joiners=self.input.notification.joiners,
            unknown=self.input.notification.on_unknown,
            fresh_only=self.input.fresh_only,
            baseline=self.input.baseline,
            recorded_baseline=self.input.recorded_baseline,
            higher_edition=self.input.higher_edition,
        )


def sent(result: ScopeResult) -> list[Any]:
    """Each group of a result: message, envelope, end, and its recipients as rows."""
    found = []
    for each in result.send_groups():
        units = whole(each.units)
        own = list(zip(*units.own, strict=True)) if units.own else [()] * len(units)
        members = [units.members[at : at + MEMBER_BYTES] for at in range(0, len(units.members), MEMBER_BYTES)]
        rows = list(zip(members, units.destinations, own, units.correlations, strict=True))
        found.append((each.message, each.envelope, each.not_after, rows))
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenes())
def test_columns_find_out_what_is_found_out_one_by_one(setting: Setting) -> None:
    expected = OneByOne(setting)
    result = evaluate_scope(setting.scope_input, setting.context, RecipientHasher(KEY))
    counts: Counter[Action] = Counter()
    for row in setting.scope_input.audience.excluded:  # type: ignore[attr-defined]
        if row.reason in {RowRejection.DUPLICATE, RowRejection.NO_ADDRESS}:
            expected.actions[Action.SUPPRESSED, row.reason.value] += 1
    for (action, reason), count in expected.actions.items():
        counts[action] += count
        assert reason is None or result.reasons[action][reason] == count
    assert result.counts == counts
    assert list(result.effects.entries()) == sorted(expected.effects)
    assert sent(result) == [
        (
            setting.scope_input.messages[key.variant],
            envelope(setting.scope_input.notification, key),
            key.closes,
            rows,
        )
        for key, rows in sorted(expected.groups.items(), key=lambda each: str(each[0]))
    ]
    if expected.groups and setting.recorded is None:
        assert result.held == b"".join(expected.held)
    assert result.served == b"".join(expected.served)
    assert result.segments == expected.segments
    assert result.samples.choose() == expected.samples.choose()
    assert result.samples.texts == expected.samples.texts
    assert result.tally.costs() == expected.tally.costs()
    assert list(result.tally.reach()) == list(expected.tally.reach())
    assert result.tally.unpriced == expected.tally.unpriced


@given(scenes(), st.integers(1, 5))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_recipients_are_handed_out_in_chunks_of_any_size(setting: Setting, size: int) -> None:
    result = evaluate_scope(setting.scope_input, setting.context, RecipientHasher(KEY))
    for units in result.groups.values():
        chunks = list(units.chunks(size))
        assert [len(chunk) for chunk in chunks[:-1]] == [size] * (len(chunks) - 1)
        assert sum(map(len, chunks)) == len(units)
        assert b"".join(chunk.members for chunk in chunks) == whole(units).members
        assert [(chunk.members, list(chunk.correlations)) for chunk in chunks] == [
            (members, list(correlations)) for members, correlations in units.heads(size)
        ]
