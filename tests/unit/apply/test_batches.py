from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from notifyctl.apply.batches import batch_size, cut, cut_members
from notifyctl.apply.correlation import verify
from notifyctl.model.batch import Batch, SendGroup
from notifyctl.model.message import Envelope
from notifyctl.model.project import Limits, TpsCounts
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES
from notifyctl.testing import whole

Consign = Callable[..., SendGroup]
Person = tuple[str | None, str, str | None]

PEOPLE = st.lists(
    st.tuples(
        st.sampled_from(["EC1M", "NW10", None]),
        st.sampled_from(["Ada", "Grace"]),
        st.sampled_from([None, None, "night-shift"]),
    ),
    max_size=40,
)


def made(group: SendGroup, size: int) -> list[Batch]:
    batches = []
    for number, part in enumerate(cut(group, size), 1):
        seal = part.seal(b"", ledger="acme/production", number=number)
        batches.append(part.batch(number, 1, ledger="acme/production", seal=seal))
    return batches


def of(consign: Consign, people: list[Person]) -> SendGroup:
    return consign([(area, name) for area, name, _ in people], correlations=[own for _, _, own in people])


def addresses(batch: Batch) -> list[str]:
    return [address for destination in batch.to for address in destination.addresses]


@given(people=PEOPLE, size=st.integers(1, 12))
def test_each_person_is_in_one_place_with_what_is_theirs(
    consign: Consign, people: list[Person], size: int
) -> None:
    group = of(consign, people)
    units = whole(group.units)
    batches = made(group, size)
    assert sorted(a for batch in batches for a in addresses(batch)) == sorted(units.destinations)
    assert [batch.size for batch in batches[:-1]] == [size] * (len(batches) - 1)
    for number, batch in enumerate(batches):
        # Chunks keep the order of the units, although inside one those with the same values come together.
        assert set(addresses(batch)) == set(units.destinations[number * size : (number + 1) * size])
        order = [units.destinations.index(address) for address in addresses(batch)]
        packed = [units.members[at * MEMBER_BYTES : (at + 1) * MEMBER_BYTES] for at in order]
        assert batch.members == b"".join(packed)
        for destination in batch.to:
            assert addresses(batch)[destination.first] == destination.addresses[0]
            for address in destination.addresses:
                area, name, correlation = people[units.destinations.index(address)]
                assert destination.substitutions == ({"area": area} if area else {}) | {"name": name}
                assert correlation in {None, destination.correlation_id}


@given(people=PEOPLE, size=st.integers(1, 12))
def test_the_same_values_share_an_object_and_ids_are_unique(
    consign: Consign, people: list[Person], size: int
) -> None:
    group = of(consign, people)
    for number, batch in enumerate(made(group, size), 1):
        kinds = {people[whole(group.units).destinations.index(address)] for address in addresses(batch)}
        assert len(batch.to) == len(kinds)
        ours = [d.correlation_id for d in batch.to if d.correlation_id != "night-shift"]
        assert len(set(ours)) == len(ours)
        seal = list(cut(group, size))[number - 1].seal(b"", ledger="acme/production", number=number)
        assert all(verify(correlation, seal) for correlation in ours)


@given(people=PEOPLE, size=st.integers(1, 12))
def test_cutting_again_gives_the_same(consign: Consign, people: list[Person], size: int) -> None:
    assert made(of(consign, people), size) == made(of(consign, people), size)


@given(people=PEOPLE, size=st.integers(1, 12))
def test_members_alone_are_cut_like_the_whole(consign: Consign, people: list[Person], size: int) -> None:
    group = of(consign, people)
    assert list(cut_members(group, size)) == [part.members for part in cut(group, size)]


def test_ids_do_not_depend_on_the_recipient_ids_that_only_a_ledger_gives(consign: Consign) -> None:
    before = consign([("EC1M", "Ada"), ("NW10", "Grace")])
    kept = whole(before.units).members
    others = b"x" * ID_BYTES + kept[ID_BYTES:MEMBER_BYTES] + b"y" * ID_BYTES + kept[MEMBER_BYTES + ID_BYTES :]
    after = replace(before, units=replace(whole(before.units), members=others))
    assert [batch.to for batch in made(before, 2)] == [batch.to for batch in made(after, 2)]


def test_each_address_text_and_name_of_a_batch_is_in_its_seal(consign: Consign) -> None:
    """Otherwise ids of one request would be those of another with the same number."""
    given = consign([("EC1M", "Ada")])
    units = whole(given.units)
    fingerprint = units.members[:ID_BYTES] + bytes(MEMBER_BYTES - ID_BYTES)
    others = [
        given,
        replace(given, units=replace(units, destinations=["+33639989999"])),
        replace(given, units=replace(units, members=fingerprint)),
        replace(given, scope=replace(given.scope, notification="another")),
        replace(given, scope=replace(given.scope, edition=2)),
        replace(given, scope=replace(given.scope, occurrence="2026-12-01T09:00")),
    ]
    seals = {part.seal(b"", ledger="acme/production", number=4) for each in others for part in cut(each, 1)}
    assert len(seals) == len(others)


def test_another_attempt_differs_in_the_callback_data_alone(consign: Consign) -> None:
    (part,) = cut(consign([("EC1M", "Ada")]), 10)
    seal = part.seal(b"", ledger="acme/production", number=4)
    first, second = (part.batch(4, attempt, ledger="acme/production", seal=seal) for attempt in (1, 2))
    assert second.envelope.callback_data == "notifyctl:acme/production:4:2"
    assert replace(second, attempt=1, envelope=first.envelope) == first


def test_callback_data_of_the_author_stays(consign: Consign) -> None:
    (batch,) = made(consign([("EC1M", "Ada")], envelope=Envelope(callback_data="december", priority=3)), 10)
    assert batch.envelope == Envelope(callback_data="december", priority=3)


def test_callback_data_of_ours_leaves_the_rest_of_the_envelope_as_it_is(consign: Consign) -> None:
    values = {field.name: object() for field in fields(Envelope)} | {"callback_data": None}
    given = Envelope(**cast("dict[str, Any]", values))
    (batch,) = made(consign([("EC1M", "Ada")], envelope=given), 10)
    assert batch.envelope == replace(given, callback_data="notifyctl:acme/production:1:1")


@pytest.mark.parametrize(
    ("limits", "size"),
    [
        (Limits(tps=10), 10),
        (Limits(tps=5000), 1000),
        (Limits(tps=5000, destinations_per_request=200), 200),
        (Limits(tps=10, tps_counts=TpsCounts.CALLS), 1000),
        (Limits(tps=10, tps_counts=TpsCounts.CALLS, destinations_per_request=5000), 1000),
        (Limits(tps=1), 1),
    ],
)
def test_a_request_is_as_large_as_every_limit_allows(limits: Limits, size: int) -> None:
    assert batch_size(limits) == size
