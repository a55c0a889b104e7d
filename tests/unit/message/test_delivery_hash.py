"""Canonical JSON and delivery hashes: stable for ever, and sensitive to all that a reader can notice."""

from __future__ import annotations

import json
import math
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from notifyctl.message import DeliveryHash, canonical_json, content_hash
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName
from tests.delivery_hashes import delivery_hash, legacy_hashes

MESSAGE = Message(
    ChannelName.SMS,
    "CNNECT",
    {"type": "text", "text": "Hi $(name), no power in $(area)"},
    options={"shortenLinks": False},
    names=("area", "name"),
)
optional = st.one_of(st.none(), st.text(max_size=20))


@given(st.tuples(optional, optional))
def test_hashes_are_those_of_whole_documents(values: tuple[str | None, str | None]) -> None:
    document: dict[str, Any] = {
        "bcc": [],
        "cc": [],
        "channel": "sms",
        "content": MESSAGE.content,
        "from": "CNNECT",
        "options": MESSAGE.options,
        "smartlinks": [],
        "template": None,
    }

    def hashed(whole: Any) -> bytes:
        return sha256(canonical_json(whole)).digest()

    message, listed = hashed({**document, "names": ["area", "name"]}), hashed(list(values))
    assert delivery_hash(DeliveryHash(MESSAGE), values) == bytes(
        x ^ y for x, y in zip(message, listed, strict=True)
    )
    given = dict(zip(MESSAGE.names, values, strict=True))
    assert legacy_hashes(DeliveryHash(MESSAGE), values) == [
        hashed({"of": hashed(document).hex(), "values": given}),
        hashed({**document, "values": given}),
    ]


def test_hashes_never_change() -> None:
    """If this fails, everybody would be told that their text has changed: make another and keep these."""
    hashes = DeliveryHash(MESSAGE)
    values = ("EC1M 4BH", "Zoë")
    assert [each.hex() for each in [delivery_hash(hashes, values), *legacy_hashes(hashes, values)]] == [
        "f0da7667772b86d330578981d17e256c9958db2e3dbf2396cdbdafa53d81f54c",
        "a454d8685c20e8c23ef19fae858f1959d9abd298f65a3913f0dd03e89c9c465a",
        "c121a1f560ac7a09aeeb23e7cbc622be7523b0d828d17a0ebd07ca95f6da82d7",
    ]
    assert content_hash(MESSAGE) == "d1:cbd0c4fdc959c1497a53261c48f54f2d97a56f59241b23ee6a752fa0053b977b"


@given(st.tuples(optional, optional), st.tuples(optional, optional))
def test_other_values_have_another_hash(
    some: tuple[str | None, str | None], others: tuple[str | None, str | None]
) -> None:
    def alike(value: str | None) -> str | None:
        return value and value.replace("\r\n", "\n").replace("\r", "\n")

    hashes = DeliveryHash(MESSAGE)
    same = tuple(map(alike, some)) == tuple(map(alike, others))
    assert (delivery_hash(hashes, some) == delivery_hash(hashes, others)) is same


def test_names_are_told_apart() -> None:
    other = replace(MESSAGE, names=("area", "nickname"))
    assert delivery_hash(DeliveryHash(other), ("a", "b")) != delivery_hash(DeliveryHash(MESSAGE), ("a", "b"))


@pytest.mark.parametrize(
    "other",
    [
        {"sender": "OTHER"},
        {"content": {"type": "text", "text": "Hi $(name), no power  in $(area)"}},
        {"content": {"type": "unicode", "text": "Hi $(name), no power in $(area)"}},
        {"options": {"shortenLinks": True}},
        {"cc": ("a@acme.example",)},
        {"bcc": ("a@acme.example",)},
        {"smartlinks": ({"smartlinkId": 5},)},
        {"template_id": "5S2XXXXFNR"},
        {"channel": ChannelName.RCS},
    ],
)
def test_what_a_reader_notices_changes_the_hash(other: dict[str, Any]) -> None:
    assert delivery_hash(DeliveryHash(replace(MESSAGE, **other)), ("a", "b")) != delivery_hash(
        DeliveryHash(MESSAGE), ("a", "b")
    )


def test_line_endings_are_the_same_and_unicode_forms_are_not() -> None:
    def hashed(value: str) -> bytes:
        return delivery_hash(DeliveryHash(MESSAGE), (value, "b"))

    assert hashed("a\r\nb") == hashed("a\nb") == hashed("a\rb")
    assert hashed("\u00e9") != hashed("e\u0301")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda c: st.lists(c) | st.dictionaries(st.text(), c),
    )
)
def test_canonical_json_is_json_and_does_not_depend_on_order(value: Any) -> None:
    assert json.loads(canonical_json(value)) == json.loads(canonical_json(json.loads(canonical_json(value))))
    if isinstance(value, dict):
        assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_numbers_that_json_has_no_form_for_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"latitude": number})
