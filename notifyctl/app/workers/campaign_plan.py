"""Renders a campaign on a worker's machine: derives its plan again from the records that it was derived from, and finds each batch in it.

A worker whose files, values or version make another plan takes no batch, and says what differs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate
from threading import Lock

from notifyctl.app.apply import build_job
from notifyctl.app.ledger import facts_from, ledger_name
from notifyctl.app.plan import derive
from notifyctl.app.workspace import Workspace, revision_of
from notifyctl.apply.batches import BatchSlice, batch_size, make_slice
from notifyctl.apply.job import Job
from notifyctl.errors import PlanRefusedError
from notifyctl.model.batch import SendGroup
from notifyctl.model.campaign import Campaign, content_check
from notifyctl.model.ledger import EVERYTHING, Extent
from notifyctl.model.project import Environment
from notifyctl.plan.model import Plan
from notifyctl.ports import LedgerReader


class CampaignSlices(Mapping[int, BatchSlice]):
    """The batches of a campaign by their numbers, each cut when it is asked for. Safe for several threads."""

    def __init__(self, job: Job, first_batch: int) -> None:
        self.job = job
        self._first = first_batch
        self._size = batch_size(job.limits)
        counts = (-(-len(group.units) // self._size) for group in job.groups)
        self._ends = list(accumulate(counts))
        """How many batches there are up to the end of each group."""
        self._reading = Lock()

    def __getitem__(self, number: int) -> BatchSlice:
        if number not in self:
            raise KeyError(number)
        at = number - self._first
        place = bisect_right(self._ends, at)
        group = self.job.groups[place]
        start = (at - (self._ends[place - 1] if place else 0)) * self._size
        return self._cut(group, start)

    def _cut(self, group: SendGroup, start: int) -> BatchSlice:
        with self._reading:
            return make_slice(group, group.units.part(start, start + self._size))

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and 0 <= number - self._first < len(self)

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._first, self._first + len(self)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0


def render_campaign(
    workspace: Workspace, environment: Environment, reader: LedgerReader, campaign: Campaign
) -> CampaignSlices:
    """The batches of a campaign as this machine's files make them. Reads all audiences once, and writes nothing.

    Raises PlanRefusedError if they are not what the campaign recorded, ProjectError if the files have errors, and LedgerError.
    """
    refuse_other_project(workspace, environment, campaign)
    plan = derive(
        workspace,
        environment,
        facts_from(reader.within(extent_of(campaign))),
        only=campaign.options.only,
        as_of=campaign.as_of,
        fresh_only=campaign.options.fresh_only,
        accepted_only=campaign.options.accepted_only,
    )
    refuse_other_digest(workspace, plan, campaign)
    job = build_job(workspace, environment, plan)
    slices = CampaignSlices(job, campaign.first_batch)
    if len(slices) != campaign.batches or content_check(job.members()) != campaign.content_check:
        raise refusal(
            workspace, campaign, "the messages that this machine would send are not those of the campaign"
        )
    return slices


def extent_of(campaign: Campaign) -> Extent:
    """The records that its plan was derived from."""
    if campaign.options.extent is not None:
        return campaign.options.extent
    return Extent(campaign.epoch, EVERYTHING.scopes, EVERYTHING.words, EVERYTHING.receipts)


def refuse_other_project(workspace: Workspace, environment: Environment, campaign: Campaign) -> None:
    name = ledger_name(workspace.sound, environment)
    if name != campaign.project:
        raise refusal(workspace, campaign, f"the campaign is of `{campaign.project}`, not of `{name}`")


def refuse_other_digest(workspace: Workspace, plan: Plan, campaign: Campaign) -> None:
    if plan.digest != campaign.digest:
        raise refusal(
            workspace,
            campaign,
            f"the plan of this machine is not that of the campaign\n  campaign     {campaign.digest}\n"
            f"  this machine {plan.digest} ({plan.sends:,} to send)",
        )


def refusal(workspace: Workspace, campaign: Campaign, why: str) -> PlanRefusedError:
    """With what most likely differs: the commit, else what is not in it."""
    here, there = revision_of(workspace), campaign.revision
    if there is not None and here != there:
        hint = f"check out commit {there[:12]} here, from which the campaign was planned"
        hint += f"; this is {here[:12]}" if here is not None else ""
    else:
        hint = (
            "use the same version of notifyctl, the same files (audiences and suppression lists too)"
            " and the same environment variables as `apply --workers`"
        )
    return PlanRefusedError(f"{why}; this worker takes no batch of run {campaign.epoch}", hint=hint)
