"""By columns or one by one: the same lengths, segments, problems and hashes."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from notifyctl.channels.segments import is_gsm7, is_unicode, segment
from notifyctl.diagnostics import Positions
from notifyctl.message import DeliveryHash, Filler, find_placeholders
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName, LocaleVariant, Template, Variable
from notifyctl.model.recipients import RecipientBatch
from notifyctl.recipients.evaluate import MessageEvaluator
from notifyctl.recipients.hashes import delivery_hashes, legacy_delivery_hashes
from notifyctl.recipients.values import ValueTable, VariantIndex, resolve_columns
from tests.delivery_hashes import delivery_hash, legacy_hashes
from tests.recipient_values import own_values, resolve_values

NAMES = ("area", "name", "note")
VALUES = st.sampled_from(
    [
        None,
        "",
        "Ada",
        "Zoë",
        'say "hi"',
        "back\\slash",
        "a\r\nb",
        "{x} €",
        "日本",
        "😀",
        "x" * 70,
        "y" * 170,
        "€" * 90,
    ]
)
TEXTS = st.sampled_from(
    [
        "Hi $(name)",
        "Hi $(name), no power in $(area). $(note)$(name)",
        "Price {$(area)} € " + "y" * 140 + "$(name)",
        "日本 $(name) $(name) " + "z" * 60,
        "😀 $(name)",
        "$(unsubscribe) and $(note)",
        "the same for all",
        "long " * 790 + "$(note)",
        "",
    ]
)


def sms(text: str, shared: dict[str, str], kind: str) -> Message:
    names = tuple(sorted(find_placeholders(text) - {"unsubscribe"}))
    given = {name: value for name, value in shared.items() if name in names}
    return Message(ChannelName.SMS, "CNNECT", {"type": kind, "text": text}, names=names, shared=given)


def batch(rows: Sequence[tuple[str | None, ...]]) -> RecipientBatch:
    count = len(rows)
    nothing: list[str | None] = [None] * count
    values = {name: [row[at] for row in rows] for at, name in enumerate(NAMES)}
    addresses = [f"+{number}" for number in range(count)]
    return RecipientBatch(addresses, addresses, range(count), nothing, nothing, nothing, nothing, values)


rows_of_values = st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=6)


@given(
    TEXTS,
    rows_of_values,
    st.sampled_from([{}, {"name": 'the "default"'}, {"note": "", "area": "é€"}]),
    st.sampled_from(["text", "unicode"]),
)
def test_columns_say_what_single_values_say(
    text: str, rows: list[tuple[str | None, ...]], shared: dict[str, str], kind: str
) -> None:
    message = sms(text, shared, kind)
    evaluator = MessageEvaluator(
        message, (Variable("name", max_length=60),), profile="6.20", max_segments=2, needs_gsm7=True
    )
    recipients = batch(rows)
    columns = resolve_columns(message, recipients.values, range(len(rows)))
    found = evaluator.evaluate(ValueTable(columns, len(rows)))
    values = [resolve_values(message, own) for own in own_values(message, recipients)]
    assert [tuple(column[at] for column in columns) for at in range(len(rows))] == values
    assert found.lengths is not None
    assert found.sms is not None
    hasher = DeliveryHash(message)
    hashes = delivery_hashes(hasher, ValueTable(columns, len(rows)))
    formers = legacy_delivery_hashes(hasher, columns, len(rows))
    for at, single in enumerate(values):
        finished = Filler(message).text("text", [value or "" for value in single])
        assert found.lengths[at] == len(finished)
        counted = segment(finished, unicode=kind == "unicode")
        assert (found.sms.units[at], found.sms.segments[at]) == (counted.units, counted.segments)
        assert found.problems.get(at) == expected_problem(message, single, finished)
        assert hashes[at].tobytes() == delivery_hash(hasher, single)
        assert [version[at] for version in formers] == legacy_hashes(hasher, single)


def expected_problem(message: Message, values: Sequence[str | None], text: str) -> str | None:
    given = dict(zip(message.names, values, strict=True))
    missing = [name for name, value in given.items() if value is None]
    if missing:
        return f"missing-variable {missing[0]}"
    if len(given.get("name") or "") > 60:
        return "variable-too-long name"
    if len(text) > 4000:
        return "text-too-long"
    read = find_placeholders(str((message.content or {})["text"]))
    unicode = is_unicode(message.content)
    if not unicode and not all(is_gsm7(value or "") for name, value in given.items() if name in read):
        return "needs-unicode"
    return "max-segments" if segment(text, unicode=unicode).segments > 2 else None


def test_opaque_bodies_and_mail_have_no_segments() -> None:
    opaque = Message(ChannelName.SMS, "CNNECT", None, template_id="t", names=("name",))
    mail = Message(ChannelName.EMAIL, "a@acme.example", {"type": "text", "text": "Hi"})
    for message in (opaque, mail):
        found = MessageEvaluator(message, (), profile="6.20").evaluate(
            ValueTable([["Ada"]] * len(message.names), 1)
        )
        assert (found.problems, found.lengths, found.sms) == ({}, None, None)


def test_recipients_are_grouped_by_the_variant_they_read() -> None:
    template = Template(
        "t", ChannelName.SMS, Positions("t.yaml"), locales={"fr": LocaleVariant(), "de": LocaleVariant()}
    )
    index = VariantIndex(template, "de-AT")
    assert index.group(["fr-CA", None, "en", "FR", None]) == {"fr": [0, 3], "de": [1, 4], None: [2]}
    plain = VariantIndex(Template("t", ChannelName.SMS, Positions("t.yaml")), "de-AT")
    assert plain.group(["fr", None]) == {None: range(2)}
    assert plain.group([]) == {}
