"""`$(name)`: found, filled with the documented precedence, and never mistaken for code."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from notifyctl.message import Filler, find_placeholders
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import RecipientBatch
from notifyctl.recipients.values import resolve_columns
from tests.recipient_values import own_values, resolve_values

names = st.sampled_from(["area", "name", "value"])
chunks = st.one_of(
    st.text(max_size=8), names.map(lambda n: f"$({n})"), st.sampled_from(["{", "}}", "'", "\\", "$(", "\n"])
)
texts = st.lists(chunks, max_size=8).map("".join)
values = st.lists(st.text(max_size=6), min_size=3, max_size=3)


def sms(
    text: str, *, shared: dict[str, str] | None = None, used: tuple[str, ...] = ("area", "name", "value")
) -> Message:
    return Message(ChannelName.SMS, "CNNECT", {"type": "text", "text": text}, names=used, shared=shared or {})


def batch(count: int, columns: dict[str, list[str | None]]) -> RecipientBatch:
    nothing: list[Any] = [None] * count
    people = [f"+4477009000{n:02d}" for n in range(count)]
    return RecipientBatch(people, people, list(range(count)), nothing, nothing, nothing, nothing, columns)


def slowly(text: str, given: list[str]) -> str:
    """The same by the plainest means."""
    known = dict(zip(("area", "name", "value"), given, strict=True))
    return re.sub(r"\$\(([^()\s]+)\)", lambda m: known.get(m[1], m[0]), text)


@given(texts, values)
def test_filling_equals_plain_replacement(text: str, given: list[str]) -> None:
    filler = Filler(sms(text))
    assert filler.text("text", given) == filler.fill("text")(given) == slowly(text, given)
    assert filler.content(given) == {"type": "text", "text": slowly(text, given)}


@given(values)
def test_a_value_is_never_filled_again(given: list[str]) -> None:
    tricky = ["$(name)", "{v[0]}", "{{ brand }}"]
    assert Filler(sms("$(area)|$(name)|$(value)")).text("text", tricky) == "|".join(tricky)


def test_nested_content_is_filled_everywhere() -> None:
    content = {
        "type": "carousel",
        "cards": [{"title": "Hi $(name)"}, {"title": "plain", "media": {"fileSize": 3}}],
    }
    message = Message(ChannelName.RCS, "a_1", content, names=("name",))
    assert find_placeholders(content) == {"name"}
    assert Filler(message).content(["Ada"]) == {
        "type": "carousel",
        "cards": [{"title": "Hi Ada"}, {"title": "plain", "media": {"fileSize": 3}}],
    }


def test_unsubscribe_is_left_to_the_platform() -> None:
    assert Filler(sms("$(name) $(unsubscribe)", used=("name",))).text("text", ["Ada"]) == "Ada $(unsubscribe)"


def test_other_forms_are_no_placeholders() -> None:
    assert find_placeholders("${name} {{name}} $name $( name ) $()") == set()


def test_the_destination_wins_over_the_notification_and_that_over_the_default() -> None:
    message = sms("", shared={"area": "shared", "value": "shared"})
    rows = list(own_values(message, batch(2, {"name": ["Ada", None], "area": ["own", None]})))
    assert rows == [("own", "Ada", None), (None, None, None)]
    assert resolve_values(message, rows[0]) == ("own", "Ada", "shared")
    assert resolve_values(message, rows[1]) == ("shared", None, "shared")
    values = batch(2, {"name": ["Ada", None], "area": ["own", None]}).values
    assert resolve_columns(message, values, [0, 1]) == [["own", "shared"], ["Ada", None], ["shared"] * 2]
    assert resolve_columns(message, values, [1]) == [["shared"], [None], ["shared"]]


def test_a_message_without_variables_has_empty_rows() -> None:
    assert list(own_values(sms("", used=()), batch(2, {"name": ["Ada", "Grace"]}))) == [(), ()]
