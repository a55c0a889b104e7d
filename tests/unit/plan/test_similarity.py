"""Texts that a mended word or a further sentence tells apart are nearly equal; others are not; no word can be read back."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.hashing import RecipientHasher
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName
from notifyctl.plan.similarity import NEARLY, are_alike, fingerprints, visible_text

KEY = RecipientHasher(b"k" * 32)


def text(words: str, shared: dict[str, str] | None = None) -> dict[str | None, Message]:
    content = {"type": "text", "text": words}
    return {None: Message(ChannelName.SMS, "ACME", content, shared=shared or {})}


def html(markup: str) -> dict[str | None, Message]:
    return {None: Message(ChannelName.EMAIL, "a@acme.example", {"type": "html", "html": markup})}


def bits(words: str) -> int:
    [found] = fingerprints(text(words), KEY)
    return found


DIFFERENT = [
    "Hi $(name), there is an outage in your area $(area) for the next $(value). Acme Power",
    "Your parcel arrives tomorrow between 9 and 12.",
    "Dear $(name), your bill for October is ready.",
    "Reminder: your appointment is on $(date) at $(time). Reply 1 to confirm.",
    "Meter reading due, $(name). Send it by Friday.",
    "The clinic is closed on Monday. Call us on 111 if you need help.",
    "Your order $(number) has been shipped and will arrive soon",
    "Happy birthday $(name)! Enjoy 10 % off today with $(code)",
    "Power is back in $(area). Thank you for your patience.",
    "Votre colis arrive demain entre 9 et 12 heures.",
]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Hello $(name)", "Hello, $(name)!"),
        ("Your parcel arives tomorrow between 9 and 12.", "Your parcel arrives tomorrow between 9 and 12."),
        ("Dear $(name), your bill for October is ready.", "Dear $(name), your bill for November is ready."),
        (
            "Meter reading due, $(name). Send it by Friday.",
            "Meter reading due, $(name). Please send it by Friday.",
        ),
        (DIFFERENT[0], DIFFERENT[0].replace("an outage", "a power outage")),
        (DIFFERENT[3], DIFFERENT[3].replace("confirm", "confirm or 2 to cancel")),
    ],
)
def test_an_edited_text_is_nearly_the_same(before: str, after: str) -> None:
    assert are_alike([bits(before)], [bits(after)])


def test_different_messages_are_not() -> None:
    found = {(one, other): (bits(one) ^ bits(other)).bit_count() for one, other in combinations(DIFFERENT, 2)}
    assert min(found.values()) > NEARLY, found


def test_the_tags_and_styles_of_a_page_do_not_make_it_like_another() -> None:
    page = '<html><head><style>{}</style></head><body><p class="lead">{}</p></body></html>'
    style = "p { margin: 0 } .lead { font-size: 12px; color: #333333 }" * 20
    one, other = (fingerprints(html(page.format(style, words)), KEY) for words in DIFFERENT[:2])
    assert not are_alike(one, other)
    restyled = fingerprints(html(page.format("", DIFFERENT[0]).replace("lead", "intro")), KEY)
    assert restyled == one


def test_shared_values_count_as_words_of_the_text() -> None:
    one, other = (fingerprints(text("$(words)", {"words": words}), KEY) for words in DIFFERENT[:2])
    assert one == (bits(DIFFERENT[0]),)
    assert not are_alike(one, other)


def test_another_key_gives_an_unrelated_fingerprint() -> None:
    """So nobody without the key can try words."""
    [other] = fingerprints(text(DIFFERENT[0]), RecipientHasher(b"other key"))
    assert not are_alike([bits(DIFFERENT[0])], [other])


def test_a_body_that_the_provider_holds_has_none() -> None:
    assert fingerprints({None: Message(ChannelName.SMS, "ACME", None, template_id="5S2")}, KEY) == ()


@given(st.text(alphabet='<>/ stylecrip="x', max_size=200))
def test_any_markup_can_be_read(markup: str) -> None:
    assert "".join(visible_text(markup)).count("<") == 0


@given(st.text(max_size=60))
def test_text_without_markup_is_read_as_it_is(words: str) -> None:
    plain = words.replace("<", "").replace(">", "")
    assert "".join(visible_text(plain)) == plain
