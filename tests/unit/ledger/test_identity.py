from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from notifyctl.ledger import RecipientHasher
from notifyctl.ledger.identity import key_check
from notifyctl.model.recipients import ID_BYTES


@given(key=st.binary(max_size=200), addresses=st.lists(st.text(st.characters(codec="utf-8"))))
def test_an_id_is_the_truncated_hmac_of_the_address(key: bytes, addresses: list[str]) -> None:
    expected = [hmac.digest(key, address.encode(), "sha256")[:ID_BYTES] for address in addresses]
    assert RecipientHasher(key)(addresses) == expected


def test_an_id_never_changes() -> None:
    """A vector: if this fails, every ledger in the world takes people for others."""
    [found] = RecipientHasher(bytes(range(32)))(["+447700900123"])
    assert found.hex() == "2de0284fba52924981d6a7e0c3127ad4"


def test_the_check_value_tells_keys_apart_and_is_no_id() -> None:
    assert key_check(b"one") == key_check(b"one") != key_check(b"two")
    assert not key_check(b"one").startswith(RecipientHasher(b"one")([""])[0])
