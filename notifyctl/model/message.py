"""What is sent: a composed message, and what goes around it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from notifyctl.model.project import ApiObject, ChannelName

PLACEHOLDER = re.compile(r"\$\(([^()\s]+)\)")
"""`$(name)`, the one form that the API fills in (rule 30)."""
UNSUBSCRIBE = "unsubscribe"
"""`$(unsubscribe)` is filled in by the platform (rule 33): it is no variable of ours."""


class Message(Struct, frozen=True):
    """A composed message: Jinja2 has run, `$(name)` stands. One per notification and locale variant."""

    channel: ChannelName
    sender: str
    content: ApiObject | None
    """`None` when `template_id` names a body at the provider."""
    options: ApiObject = field(default_factory=dict)
    locale: str | None = None
    """The variant this is; `None`: the template's own text."""
    cc: tuple[str, ...] | None = None
    bcc: tuple[str, ...] | None = None
    smartlinks: tuple[ApiObject, ...] = ()
    template_id: str | None = None
    template_subject: str | None = None
    """In place of the subject of the template at the provider."""
    names: tuple[str, ...] = ()
    """The variables the text reads, sorted; for an opaque body those that are handed over."""
    shared: Mapping[str, str] = field(default_factory=dict)
    """Values for all recipients: the notification's substitutions over the template's defaults, only for `names`."""

    @property
    def opaque(self) -> bool:
        return self.template_id is not None


class LeftOut(Struct, frozen=True):
    """A destination beside the recipient that a message is sent without, and why: `cc 2`, `bcc 1` or `SMS fallback`."""

    what: str
    reason: str


class Envelope(Struct, frozen=True):
    """What goes around a message and is no content. Times are aware; `validity` is in seconds; see rules 19 to 54."""

    send_at: datetime | None = None
    expire_at: datetime | None = None
    validity: int | None = None
    priority: int | None = None
    callback_data: str | None = None
    notify_url: str | None = None
    notify_url_auth_id: str | None = None
    requested_receipts: tuple[str, ...] = ()
    contact_policy: ApiObject | None = None
    batch_id: str | None = None
    """Sent only with `send_at`: it groups what the provider holds until it is due."""
    multiple_to_recipients: bool | None = None


class RenderedMessage(Struct, frozen=True):
    """One message as its reader gets it. `content` is None for a body that the provider holds; `missing` names the
    values that nothing gives, which stay visible as placeholders. SMS have an encoding, units and segments.
    """

    notification: str
    channel: ChannelName
    sender: str
    destination: str
    locale: str | None
    content: ApiObject | None
    options: ApiObject
    values: Mapping[str, str]
    missing: tuple[str, ...] = ()
    encoding: str | None = None
    units: int | None = None
    segments: int | None = None
    request: ApiObject = field(default_factory=dict)
    """What the request has beside content and options, with the keys of the API."""
    sizes: tuple[int | None, ...] = ()
    """Bytes of each attachment, where the author wrote them."""
