"""The bytes that are posted hold the body that is described, whatever people are called."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from notifyctl.model.batch import Batch, Destinations
from notifyctl.model.message import Envelope, Message
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import Scope
from notifyctl.providers.webexconnect.request import body_of, encode_body

ODD = st.one_of(
    st.text(),
    st.sampled_from(["", '"', "\\", '\\"},{"', "\u2028", "\x00", "\x7f", "Zoë", "🎄", "</script>", "%s", "{0}", "$(name)"]),
)  # fmt: skip
TEXTS = st.one_of(ODD, st.characters(categories=["Cs"]))
"""Also half a surrogate pair, which is no text."""


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    names = tuple(sorted(draw(st.sets(ODD, max_size=3))))
    values = draw(st.sampled_from([TEXTS, st.none(), st.one_of(st.none(), TEXTS)]))
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=5))
    alone = draw(st.booleans())
    if alone:
        sizes = [1] * len(sizes)
    channel = draw(st.sampled_from(ChannelName))
    return Batch(
        number=1,
        attempt=1,
        scope=Scope("sample", 1, "once", channel),
        message=Message(
            channel=channel,
            sender=draw(ODD),
            content={"type": "text", "text": draw(TEXTS)},
            options={draw(ODD): [draw(TEXTS), 1, None, True, 0.5]},
            shared=draw(st.dictionaries(ODD, TEXTS, max_size=2)),
            names=names,
        ),
        envelope=Envelope(callback_data=draw(TEXTS), validity=5, priority=1),
        to=Destinations(
            addresses=[draw(ODD) for _ in range(sum(sizes))],
            correlation_ids=[draw(ODD) for _ in sizes],
            names=names,
            own=[[draw(values) for _ in sizes] for _ in names],
            starts=None if alone else [sum(sizes[:at]) for at in range(len(sizes))],
        ),
        members=b"",
    )


@given(batches())
def test_the_bytes_hold_the_body_in_its_order(batch: Batch) -> None:
    body = body_of(batch)
    made = json.loads(encode_body(batch))
    assert made == body
    assert list(made) == list(body)
    assert json.dumps(made["to"]) == json.dumps(body["to"])


@given(batches())
def test_the_same_batch_gives_the_same_bytes(batch: Batch) -> None:
    content = encode_body(batch)
    assert content == encode_body(batch)
    assert content.decode("utf-8") == content.decode("utf-8", "strict")


def test_nobody_is_an_empty_list() -> None:
    nobody = Destinations((), (), (), ())
    message = Message(ChannelName.SMS, "CNNECT", {"type": "text", "text": "Hello"})
    batch = Batch(1, 1, Scope("sample", 1, "once", ChannelName.SMS), message, Envelope(), nobody, b"")
    assert json.loads(encode_body(batch))["to"] == []
