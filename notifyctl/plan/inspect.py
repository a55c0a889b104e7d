"""What can be wrong with one recipient's finished message: a missing value, a text that is too long, too many segments."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from notifyctl.channels import text_limit
from notifyctl.channels.segments import segment
from notifyctl.message import Filler
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName, Policy, Template


class Finding(Struct, frozen=True):
    segments: int | None
    blocked: str | None


class Inspector:
    """Looks at one recipient at a time; all that is the same for a message is worked out once."""

    def __init__(self, message: Message, template: Template, policy: Policy, *, profile: str) -> None:
        self.names = message.names
        self.filler = Filler(message)
        content = message.content or {}
        self.has_text = isinstance(content.get("text"), str)
        self.limit = text_limit(message.channel, str(content.get("type")), profile) if self.has_text else None
        self.counts_segments = message.channel is ChannelName.SMS and self.has_text
        self.max_segments = policy.max_segments
        self.max_lengths = [
            (self.names.index(variable.name), variable.max_length)
            for variable in template.variables or ()
            if variable.max_length is not None and variable.name in self.names
        ]

    def look(self, values: Sequence[str | None]) -> Finding:
        """`values` in the order of the message's names; `None` where nothing gives one."""
        present = [value for value in values if value is not None]
        if len(present) < len(values):
            return Finding(None, f"missing-variable {self.names[values.index(None)]}")
        for index, limit in self.max_lengths:
            if len(present[index]) > limit:
                return Finding(None, f"variable-too-long {self.names[index]}")
        if self.limit is None and not self.counts_segments:
            return Finding(None, None)
        text = self.filler.text("text", present)
        if self.limit is not None and len(text) > self.limit:
            return Finding(None, "text-too-long")
        if not self.counts_segments:
            return Finding(None, None)
        segments = segment(text).segments
        too_many = self.max_segments is not None and segments > self.max_segments
        return Finding(segments, "max-segments" if too_many else None)
