"""What workers compare before they send a batch covers every batch, in order."""

from __future__ import annotations

from datetime import UTC, datetime

from notifyctl.model.campaign import Campaign, CampaignOptions, content_check
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import MEMBER_BYTES, Scope

HI, LO = Scope("hi", 1, "once", ChannelName.SMS), Scope("lo", 1, "once", ChannelName.SMS)


def members(*people: int) -> bytes:
    return b"".join(each.to_bytes(MEMBER_BYTES) for each in people)


def test_the_check_covers_scope_members_and_order() -> None:
    batches = [(HI, members(1, 2)), (LO, members(3))]
    others = [
        [(HI, members(1, 2)), (HI, members(3))],
        [(HI, members(2, 1)), (LO, members(3))],
        [(LO, members(3)), (HI, members(1, 2))],
        [(HI, members(1)), (LO, members(2, 3))],
        [(HI, members(1, 2))],
        [(HI, members(1)), (HI, members(2)), (LO, members(3))],
    ]
    found = {content_check(each) for each in (batches, *others)}
    assert len(found) == len(others) + 1
    assert content_check(iter(batches)) == content_check(batches)


def test_the_numbers_of_a_campaign_are_those_that_were_planned_with_it() -> None:
    now = datetime(2026, 12, 1, tzinfo=UTC)
    campaign = Campaign(7, "sha256:0", "acme/live", None, now, CampaignOptions(), 41, 3, 2_500, b"", now)
    assert list(campaign.numbers) == [41, 42, 43]
