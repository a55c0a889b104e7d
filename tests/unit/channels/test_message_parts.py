"""The one list of what a message carries."""

from __future__ import annotations

from typing import Any

import pytest

from notifyctl.channels.message_parts import list_parts
from notifyctl.channels.parts import Carried, Kind, find_part, walk_parts
from notifyctl.model.project import ChannelName


def email(text: str | None, html: str, **more: Any) -> dict[str, str]:
    content = {"type": "html", "subject": "S", "html": html} | ({} if text is None else {"text": text})
    parts = list_parts(Carried(ChannelName.EMAIL, "a@acme.example", content, **more))
    return {part.key: part.text for part in parts}


def test_a_field_that_no_channel_describes_is_a_part_all_the_same() -> None:
    content = {
        "type": "text",
        "text": "x",
        "novel": {"deep": [{"er": "found"}, {"er": 2}]},
        "flags": [True, False],
    }
    for channel in ChannelName:
        parts = list(walk_parts(list_parts(Carried(channel, "s", content, {"own": "o"}, {"around": "a"}))))
        shown = {part.label: part.text for part in parts if part.kind is Kind.SETTING}
        assert shown == {
            "novel.deep.1.er": "found",
            "novel.deep.2.er": "2",
            "flags": "true, false",
            "own": "o",
            "around": "a",
        }


@pytest.mark.parametrize(
    ("text", "html", "same"),
    [
        ("Dear Ada\n\nPay now.", "<p>Dear Ada</p><p>Pay <b>now</b>.</p>", True),
        ("Pay now", "<p>Dear Ada</p><p>Pay now.</p>", False),
        ("Pay here: https://a.example/", '<a href="https://a.example">Pay here</a>:', True),
        ("Pay here: https://b.example", '<a href="https://a.example">Pay here</a>', False),
        ("now Pay", "<p>Pay now</p>", False),
        ("Hi", '<p>Hi</p><img src="https://a.example/x.png">', True),
        ("Hi", '<p>Hi</p><img src="x.png" alt="Sale">', False),
        ("Pre Hi", '<div style="display:none">Pre</div>Hi', True),
    ],
)
def test_an_alternative_is_shown_where_it_says_something_else(text: str, html: str, same: bool) -> None:  # noqa: FBT001
    shown = email(text, html)["alternative"]
    assert shown == ("same text as the HTML" if same else text)


def test_an_empty_or_missing_alternative_is_not_shown() -> None:
    assert "alternative" not in email(None, "<p>Hi</p>")
    assert "alternative" not in email(" \n", "<p>Hi</p>")


def test_the_size_of_an_attachment_is_shown_though_it_is_not_sent() -> None:
    file = {"name": "a.pdf", "mimeType": "application/pdf", "mediaUrl": "https://a.example/a.pdf"}
    for spelled in (file, {"mimetype" if key == "mimeType" else key: value for key, value in file.items()}):
        content = {"type": "text", "subject": "S", "text": "x", "attachments": [spelled, spelled]}
        parts = list_parts(Carried(ChannelName.EMAIL, "", content, sizes=(1_250_000, None)))
        files = [(part.label, part.text) for part in parts if part.kind is Kind.FILE]
        assert files == [
            ("a.pdf", "application/pdf, 1.25 MB, https://a.example/a.pdf"),
            ("a.pdf", "application/pdf, https://a.example/a.pdf"),
        ]


def test_chips_below_a_carousel_are_apart_from_those_of_its_last_card() -> None:
    reply = {"type": "reply", "displayText": "Own"}
    content = {
        "type": "carousel",
        "cards": [{"title": "one"}, {"title": "two", "suggestions": [reply]}],
        "suggestions": [{**reply, "displayText": "Below"}],
    }
    parts = list_parts(Carried(ChannelName.RCS, "", content))
    held = [(part.label, [each.label for each in part.parts if each.kind is Kind.BUTTON]) for part in parts]
    assert held == [("Card 1 of 2", []), ("Card 2 of 2", ["Own"]), ("Below the cards", ["Below"])]


def test_a_fallback_is_counted_as_it_is_sent_though_numbers_in_it_are_masked() -> None:
    options = {"smsFallback": True, "smsSenderId": "ACME", "text": "Call +44••••••0123 or 44••••••0123"}
    fallback = find_part(list_parts(Carried(ChannelName.RCS, "", {}, options)), "fallback")
    assert fallback is not None
    assert (fallback.encoding, fallback.units, fallback.segments) == ("GSM-7", 34, 1)


def test_texts_of_a_fallback_that_is_off_are_called_without_effect() -> None:
    part = find_part(list_parts(Carried(ChannelName.RCS, "", {}, {"text": "x"})), "fallback")
    assert part is not None
    assert "without effect" in part.label


@pytest.mark.parametrize(
    "content", [{"cards": 3, "suggestions": "x"}, {"richCard": [1]}, {"attachments": {"a": 1}}]
)
def test_a_content_of_no_channel_is_shown_and_stops_nothing(content: dict[str, Any]) -> None:
    for channel in ChannelName:
        assert list_parts(Carried(channel, "", content))
