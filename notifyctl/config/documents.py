"""Declares the shape of each kind of document. The loader and the JSON Schemas both use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from notifyctl.config.fields import ChannelShape, Shape
from notifyctl.config.kinds.audience import AUDIENCE
from notifyctl.config.kinds.notification import MOVED, notification, statement
from notifyctl.config.kinds.project import PROJECT
from notifyctl.config.kinds.schedule import SCHEDULE
from notifyctl.config.kinds.template import template


def document_shapes(channels: Sequence[ChannelShape]) -> Mapping[str, Shape]:
    """Returns kind → shape, in the order in which the documentation lists the kinds."""
    return {
        "Project": PROJECT,
        "Template": template(channels),
        "Audience": AUDIENCE,
        "Schedule": SCHEDULE,
        "Notification": notification(channels),
        "Moved": MOVED,
        "Baseline": statement(
            "Baseline", "Counts the current audience as already notified, without sending."
        ),
        "Withdraw": statement(
            "Withdraw", "Stops sending this edition to recipients who were not sent it yet."
        ),
    }
