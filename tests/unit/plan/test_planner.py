"""The planner as a pure function: everybody once, sums that add up, and nobody who has it or may have it consigned."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as dataclass_replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from notifyctl.diagnostics import Location, Positions
from notifyctl.message import DeliveryHash, find_placeholders
from notifyctl.model.ledger import BatchRecord, BatchState
from notifyctl.model.message import Message
from notifyctl.model.project import (
    Audience,
    Category,
    ChannelName,
    Environment,
    Joiners,
    LocaleVariant,
    Notification,
    Policy,
    Template,
    Variable,
)
from notifyctl.model.recipients import (
    ID_BYTES,
    RecipientBatch,
    RejectedRow,
    RowOrigin,
    RowRejection,
    Scope,
    Suppression,
)
from notifyctl.plan.actions import Action
from notifyctl.plan.inputs import LedgerRecords, PlanContext, RecordedAudience, RemovedScope, ScopeInput
from notifyctl.plan.model import Plan
from notifyctl.plan.planner import build_plan
from notifyctl.plan.statuses import Kind
from notifyctl.schedule.slots import Occurrence
from notifyctl.testing import whole
from tests.delivery_hashes import delivery_hash, legacy_hashes

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
MARKS = Positions("n.yaml")
SCOPE = Scope("n", 1, "once", ChannelName.SMS)
Attempt = tuple[Kind, bytes, bytes]
"""How a batch of one recipient ended, the recipient's id, the fingerprint of what was sent."""
TEXTS = {None: "Hi $(name). Acme", "fr": "Bonjour $(name). Acme"}


@dataclass(frozen=True)
class Person:
    number: int
    name: str | None = "Ada"
    locale: str | None = None
    suppression: Suppression | None = None

    @property
    def address(self) -> str:
        return f"+336399{80000 + self.number}"


def identify(addresses: Sequence[str]) -> list[bytes]:
    return [sha256(address.encode()).digest()[:ID_BYTES] for address in addresses]


def id_of(person: Person) -> bytes:
    return identify([person.address])[0]


PEOPLE_CSV = RowOrigin("people.csv")


@dataclass(frozen=True)
class People:
    """An audience in memory, handed out in batches of `size`."""

    people: Sequence[Person]
    excluded: Sequence[RejectedRow] = ()
    size: int = 4
    variables: Sequence[str] = ("name",)
    header: Sequence[str] = ()
    origin: RowOrigin = PEOPLE_CSV

    def batches(self, channel: ChannelName, names: Collection[str] | None = None) -> Iterator[RecipientBatch]:
        rest = list(self.excluded)
        for start in range(0, max(len(self.people), 1), self.size):
            some = self.people[start : start + self.size]
            nothing: list[Any] = [None] * len(some)
            yield RecipientBatch(
                [person.address for person in some],
                [person.address for person in some],
                list(range(start + 2, start + 2 + len(some))),
                [person.locale for person in some],
                nothing,
                nothing,
                [person.suppression for person in some],
                {"name": [person.name for person in some]},
                rest,
            )
            rest = []


def message(variant: str | None, texts: Mapping[str | None, str] = TEXTS, **parts: Any) -> Message:
    content = {"type": "text", "text": texts[variant]}
    names = tuple(sorted(find_placeholders(content)))
    given: dict[str, Any] = {"content": content, "names": names, "locale": variant, **parts}
    return Message(ChannelName.SMS, "CNNECT", **given)


def scope_input(
    people: People, *, policy: Policy | None = None, joiners: Joiners = Joiners.HOLD, **facts: Any
) -> ScopeInput:
    template = Template(
        "t",
        ChannelName.SMS,
        MARKS,
        content={"type": "text", "text": TEXTS[None]},
        locales={"fr": LocaleVariant()},
        variables=facts.pop("variables", None),
        category=facts.pop("category", Category.TRANSACTIONAL),
    )
    notification = Notification(
        "n", template, Audience("a", MARKS), MARKS, policy=policy or Policy(), joiners=joiners
    )
    given: dict[str, Any] = {
        "messages": {variant: message(variant) for variant in TEXTS},
        "records": records(facts.pop("attempts", ()), facts.pop("recorded", None)),
        **facts,
    }
    return ScopeInput(
        notification=notification,
        scope=SCOPE,
        occurrence=Occurrence("once", None),
        audience=people,
        locale="en",
        zone="UTC",
        **given,
    )


def records(attempts: Sequence[Attempt], recorded: Collection[bytes] | None) -> LedgerRecords:
    """A ledger in which each attempt is a batch of its own."""
    states = {
        "accepted": BatchState.ACCEPTED,
        "uncertain": BatchState.UNKNOWN,
        "rejected": BatchState.REJECTED,
    }
    batches = [
        BatchRecord(number, SCOPE, states[kind], 1, recipient + text, NOW)
        for number, (kind, recipient, text) in enumerate(attempts, 1)
    ]
    held = None if recorded is None else RecordedAudience([b"".join(recorded)])
    return LedgerRecords(batches=lambda: batches, recorded=held)


def plan_of(*inputs: ScopeInput, removed: Sequence[RemovedScope] = (), **context: Any) -> Plan:
    given: dict[str, Any] = {
        "project": "acme",
        "environment": Environment("production", "webexconnect", MARKS),
        "provider": "p",
        "lineage": "l",
        "as_of": NOW,
        **context,
    }
    return build_plan(PlanContext(**given), inputs, identify=identify, removed=removed)


def counts(plan: Plan) -> dict[str, int]:
    return {action.value: count for action, count in plan.summary.items() if count}


def fingerprint(person: Person) -> bytes:
    variant = "fr" if person.locale == "fr" else None
    return delivery_hash(DeliveryHash(message(variant)), [person.name])[:12]


def attempt(kind: Any, person: Person, *, same: bool = True) -> Attempt:
    return kind, id_of(person), fingerprint(person) if same else b"other text!!"


def consigned(plan: Plan) -> list[str]:
    return [address for group in plan.send_groups for address in whole(group.units).destinations]


persons = st.builds(
    Person,
    st.integers(0, 40),
    st.sampled_from(["Ada", "Zoë", None]),
    st.sampled_from([None, "fr", "fr-CA", "en", "de"]),
    st.sampled_from([None, None, None, Suppression.OPTED_OUT, Suppression.FENCED]),
)
crowds = st.lists(persons, max_size=25, unique_by=lambda person: person.number)


@settings(max_examples=150)
@given(st.data(), crowds, st.sampled_from(Joiners), st.integers(1, 7))
def test_everybody_gets_one_action_and_only_those_that_send_are_consigned(
    data: st.DataObject, crowd: list[Person], joiners: Joiners, size: int
) -> None:
    kinds = data.draw(
        st.lists(
            st.sampled_from(["accepted", "accepted-other", "uncertain", "rejected", None, None]),
            min_size=len(crowd),
            max_size=len(crowd),
        )
    )
    attempts = [
        attempt(kind.partition("-")[0], person, same="-" not in kind)
        for person, kind in zip(crowd, kinds, strict=True)
        if kind
    ]
    recorded = data.draw(
        st.none() | st.sets(st.sampled_from([id_of(p) for p in crowd]) if crowd else st.nothing())
    )
    facts: dict[str, Any] = {"joiners": joiners, "attempts": attempts, "recorded": recorded}
    loose = Policy(max_growth_percent=None)
    plan = plan_of(scope_input(People(crowd, size=size), policy=loose, **facts))

    assert sum(plan.summary.values()) == len(crowd)
    sent = consigned(plan)
    assert len(sent) == len(set(sent)) == plan.sends
    settled = {p.address for p, kind in zip(crowd, kinds, strict=True) if kind not in {None, "rejected"}}
    assert settled.isdisjoint(sent)
    assert {p.address for p in crowd if p.suppression or p.name is None}.isdisjoint(sent)
    shown = plan.notifications[0]
    for action, reasons in shown.reasons.items():
        assert sum(reasons.values()) <= shown.actions[action]
    again = plan_of(scope_input(People(list(reversed(crowd)), size=size + 1), policy=loose, **facts))
    assert (again.digest, again.summary) == (plan.digest, plan.summary)


def test_each_text_is_shown_once_with_its_count_and_no_address() -> None:
    crowd = [Person(n, "team") for n in range(5)] + [Person(9, "Ada"), Person(10, "Ada", "fr")]
    (shown,) = plan_of(scope_input(People(crowd))).notifications
    assert [(s.count, s.locale, (s.content or {})["text"]) for s in shown.samples] == [
        (5, None, "Hi team. Acme"),
        (1, None, "Hi Ada. Acme"),
        (1, "fr", "Bonjour Ada. Acme"),
    ]
    assert shown.texts == 3
    assert not any(person.address in str(shown) for person in crowd)


def test_an_address_among_the_words_is_masked_too() -> None:
    person = Person(1)
    spoken = dataclass_replace(person, name=person.address)
    (shown,) = plan_of(scope_input(People([spoken]))).notifications
    assert person.address.lstrip("+") not in str(shown)
    assert "•••" in (shown.samples[0].content or {})["text"]


def test_opening_holds_those_who_belong_and_are_not_sent_to() -> None:
    crowd = [Person(0), Person(1, None), Person(2, suppression=Suppression.OPTED_OUT)]
    plan = plan_of(scope_input(People(crowd)))
    (opening,) = plan.openings
    assert opening.held == id_of(crowd[1])
    assert plan_of(scope_input(People(crowd), recorded={id_of(crowd[0])})).openings == ()


def test_nothing_is_opened_while_nothing_is_sent() -> None:
    assert plan_of(scope_input(People([Person(0, None)]))).openings == ()


@pytest.mark.parametrize(
    ("policy", "blocked"),
    [
        (Policy(max_recipients=3), 0),
        (Policy(max_recipients=2), 3),
        (Policy(max_recipients=None), 0),
        (Policy(max_segments=1), 0),
    ],
)
def test_a_threshold_blocks_all_or_nothing(policy: Policy, blocked: int) -> None:
    plan = plan_of(scope_input(People([Person(n) for n in range(3)]), policy=policy))
    assert plan.summary[Action.BLOCKED] == blocked
    assert len(consigned(plan)) == 3 - blocked
    assert plan.openings == () if blocked else plan.openings


@pytest.mark.parametrize(
    ("known", "new", "blocked"), [(9, 9, False), (10, 2, False), (10, 3, True), (100, 21, True)]
)
def test_growth_counts_from_ten_people_up(known: int, new: int, *, blocked: bool) -> None:
    crowd = [Person(n) for n in range(known + new)]
    recorded = {id_of(person) for person in crowd[:known]}
    attempts = [attempt("accepted", person) for person in crowd[:known]]
    plan = plan_of(scope_input(People(crowd), joiners=Joiners.SEND, recorded=recorded, attempts=attempts))
    assert counts(plan) == {"unchanged": known, "blocked" if blocked else "send-new": new}


def test_segments_and_lengths_are_judged_for_each_person() -> None:
    crowd = [Person(0, "A"), Person(1, "Ω" * 200), Person(2, "x" * 1100), Person(3, "long name")]
    variables = (Variable("name", max_length=1020),)
    (shown,) = plan_of(
        scope_input(People(crowd), policy=Policy(max_segments=1), variables=variables)
    ).notifications
    assert shown.reasons[Action.BLOCKED] == {"max-segments": 1, "variable-too-long name": 1}
    (shown,) = plan_of(scope_input(People(crowd))).notifications
    assert shown.reasons[Action.BLOCKED] == {"text-too-long": 1}
    assert shown.segments == 1 + 2 + 1


def test_marketing_mail_without_unsubscribe_is_blocked_where_policy_asks() -> None:
    def mail(html: str) -> Plan:
        made = scope_input(
            People([Person(0)]),
            category=Category.MARKETING,
            policy=Policy(require_unsubscribe=(Category.MARKETING,)),
        )
        content = {"type": "html", "subject": "s", "html": html}
        scope = replace(made.scope, channel=ChannelName.EMAIL)
        only: Any = {None: Message(ChannelName.EMAIL, "a@acme.example", content)}
        template = replace(made.notification.template, channel=ChannelName.EMAIL, locales={})
        notification = replace(made.notification, template=template)
        return plan_of(replace(made, messages=only, scope=scope, notification=notification))

    assert counts(mail("<p>Hello</p>")) == {"blocked": 1}
    assert counts(mail("<p>Hello</p><a href='$(unsubscribe)'>x</a>")) == {"send": 1}


def rejected(reason: RowRejection, number: int) -> list[RejectedRow]:
    return [RejectedRow(reason, Location("p.csv", 1000 + n, 1), "no") for n in range(number)]


@pytest.mark.parametrize(
    ("people", "excluded", "policy", "blocked"),
    [
        (49, rejected(RowRejection.BAD_ADDRESS, 1), Policy(), False),  # 2.0 % of 50
        (48, rejected(RowRejection.BAD_ADDRESS, 2), Policy(), True),  # 4 % of 50
        (47, rejected(RowRejection.BAD_ADDRESS, 2), Policy(), False),  # 49 rows are too few to tell
        (48, rejected(RowRejection.BAD_ROW, 2), Policy(), True),
        (48, rejected(RowRejection.NO_ADDRESS, 2), Policy(), False),
        (48, rejected(RowRejection.DUPLICATE, 2), Policy(), False),
        # 3 of 63 that have an address; who has none is not among those the share is of.
        (60, rejected(RowRejection.NO_ADDRESS, 900) + rejected(RowRejection.BAD_ADDRESS, 3), Policy(), True),
        (48, rejected(RowRejection.BAD_ADDRESS, 2), Policy(max_rejected_percent=4), False),
        (47, rejected(RowRejection.BAD_ADDRESS, 3), Policy(max_rejected_percent=4), True),
        (999, rejected(RowRejection.BAD_ADDRESS, 1), Policy(max_rejected_percent=0), True),
        (9, rejected(RowRejection.BAD_ADDRESS, 900), Policy(max_rejected_percent=None), False),
    ],
)
def test_too_many_rejected_rows_block_a_notification(
    people: int, excluded: list[RejectedRow], policy: Policy, *, blocked: bool
) -> None:
    plan = plan_of(scope_input(People([Person(n) for n in range(people)], excluded), policy=policy))
    shown = plan.notifications[0]
    assert shown.actions.get(Action.BLOCKED, 0) == (people if blocked else 0)
    assert bool(plan.sends) is not blocked
    assert (
        any(reason.startswith("max-rejected ") for reason in shown.reasons.get(Action.BLOCKED, ())) is blocked
    )
    assert plan.rejected_rows == sum(
        row.reason in {RowRejection.BAD_ROW, RowRejection.BAD_ADDRESS} for row in excluded
    )


def test_rows_that_are_nobody_are_listed_and_not_counted() -> None:
    excluded = [
        RejectedRow(RowRejection.BAD_ADDRESS, Location("p.csv", 5, 1), "no"),
        RejectedRow(RowRejection.NO_ADDRESS, Location("p.csv", 6, 1), "none"),
        *(RejectedRow(RowRejection.DUPLICATE, Location("p.csv", 10 + n, 1), "twice") for n in range(30)),
    ]
    plan = plan_of(scope_input(People([Person(0)], excluded)))
    assert counts(plan) == {"send": 1, "suppressed": 31}
    (shown,) = plan.notifications
    assert (shown.rows, shown.rejected_rows) == (33, 1)
    assert [d.rule for d in plan.diagnostics].count("duplicate-address") == 21
    assert any("10 more" in d.message for d in plan.diagnostics)
    assert plan.applyable


def test_an_audience_with_nobody_is_an_error_and_cannot_be_applied() -> None:
    plan = plan_of(scope_input(People([])))
    assert [d.rule for d in plan.diagnostics] == ["empty-audience"]
    assert not plan.applyable


def test_what_has_no_definition_any_more_is_withdrawn_or_uncertain() -> None:
    scope = Scope("gone", 1, "once", ChannelName.SMS)
    plan = plan_of(removed=[RemovedScope(scope, uncertain=1, withdrawn=2)])
    assert counts(plan) == {"uncertain": 1, "withdrawn": 2}
    assert plan.digest == plan_of().digest


def test_an_unsound_plan_is_never_complete_without_a_ledger() -> None:
    plan = plan_of(scope_input(People([Person(0)])), complete=False, lineage=None)
    assert not plan.applyable


def test_what_an_earlier_version_recorded_is_known_again() -> None:
    person = Person(0)
    for former in legacy_hashes(DeliveryHash(message(None)), [person.name]):
        attempts: list[Attempt] = [("accepted", id_of(person), former[:12])]
        assert counts(plan_of(scope_input(People([person]), attempts=attempts))) == {"unchanged": 1}
