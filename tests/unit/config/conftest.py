"""Three small channels, so that tests of the loader do not change when a channel learns a new field."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from notifyctl.config.fields import Boolean, Cases, ChannelShape, Choice, Field, Items, Record, Shape, Text
from notifyctl.config.load import LoadResult, load_project
from notifyctl.rulebook import sms
from notifyctl.testing import MemoryFiles

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: acme\n"

Load = Callable[[Mapping[str, str]], LoadResult]


def content(kind: str, *fields: Field) -> Record:
    return Record(
        title=f"{kind} content",
        fields=(Field(name="type", shape=Choice(values=(kind,)), required=True), *fields),
    )


def composed(*, max_length: int | None = None) -> Text:
    return Text(composed=True, max_length=max_length, description="What people read.", rule=sms.LENGTH)


def text(*, required: bool = True) -> Field:
    return Field(name="text", shape=composed(max_length=1024), required=required)


def switch(name: str) -> Field:
    return Field(name=name, shape=Boolean(strings=True, description="A switch.", rule=sms.BOOLEAN))


ATTACHMENTS: Shape = Items(
    item=Record(
        title="attachment",
        fields=(
            Field(name="mimeType", shape=Text(), required=True, aliases=("mimetype",)),
            Field(name="mediaUrl", shape=composed(), required=True),
        ),
    )
)

SMS = ChannelShape(
    name="sms",
    content=Cases(
        title="SMS content", by="type", cases={kind: content(kind, text()) for kind in ("text", "unicode")}
    ),
    options=Record(title="SMS options", fields=(switch("shortenLinks"), switch("trackClicks"))),
    receipts=("submitted", "delivered", "failed"),
)
EMAIL = ChannelShape(
    name="email",
    content=Cases(
        title="e-mail content",
        by="type",
        cases={
            "text": content("text", Field(name="subject", shape=composed(), required=True), text()),
            "html": content(
                "html",
                Field(name="subject", shape=composed(), required=True),
                text(required=False),
                Field(name="html", shape=composed(), required=True),
                Field(name="attachments", shape=ATTACHMENTS),
            ),
        },
    ),
    options=Record(
        title="e-mail options", fields=(switch("trackOpens"), Field(name="fromName", shape=composed()))
    ),
    receipts=("submitted", "delivered", "not verified", "failed"),
)


@pytest.fixture
def channels() -> tuple[ChannelShape, ...]:
    return (SMS, EMAIL)


@pytest.fixture
def load(channels: tuple[ChannelShape, ...]) -> Load:
    """Loads files by path; a minimal notifyctl.yaml is there unless it is given."""
    return lambda files: load_project(MemoryFiles({"notifyctl.yaml": PROJECT, **files}), channels)
