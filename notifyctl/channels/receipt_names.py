"""The receipts of each channel as the documentation of each profile writes them (rules 48 to 51)."""

from __future__ import annotations

from collections.abc import Mapping

from notifyctl.config.content_shapes import canonical_receipt
from notifyctl.config.fields import NEWER
from notifyctl.model.project import ChannelName

PAGES: Mapping[ChannelName, tuple[str, ...]] = {
    ChannelName.SMS: ("SUBMITTED", "SENT", "DELIVERED", "CLICKED", "FAILED"),
    ChannelName.EMAIL: (
        "submitted",
        "delivered",
        "read",
        "clicked",
        "bounce",
        "bounced",
        "not verified",
        "invalid",
        "complaint",
        "failed",
    ),
    ChannelName.RCS: ("Sent", "Delivered", "Read", "Clicked", "Failed"),
}
"""The lists of profile 6.20. That of 2021 has the canonical names, in lower case."""


def standard_form(receipt: str, channel: ChannelName, profile: str) -> str:
    """How the profile's page writes a receipt; the text itself where it is written so. Profile 6.20 also knows the names of 2021."""
    canonical = canonical_receipt(receipt)
    page = PAGES[channel] if profile == NEWER else ()
    if receipt == canonical or receipt in page:
        return receipt
    same = [name for name in page if name.casefold() == receipt.casefold()]
    return next(iter(same), canonical)


def is_documented(receipt: str, channel: ChannelName, profile: str) -> bool:
    """Whether the profile's page lists the receipt, by any of its names."""
    return profile != NEWER or canonical_receipt(receipt) in map(canonical_receipt, PAGES[channel])


def same_receipt(one: str, other: str, channel: ChannelName, profile: str) -> bool:
    """Whether two names ask for one receipt. The SMS page of 6.20 lists SUBMITTED and SENT side by side in one request."""
    both = {one.casefold(), other.casefold()}
    if profile == NEWER and channel is ChannelName.SMS and both == {"submitted", "sent"}:
        return False
    return canonical_receipt(one) == canonical_receipt(other)
