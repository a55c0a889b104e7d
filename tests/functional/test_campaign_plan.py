"""A worker renders a campaign from the records of before it, whatever was recorded since, and refuses to if its files make another."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from notifyctl.app.apply import build_job, record_decisions
from notifyctl.app.ledger import facts_from, ledger_name, ledger_store
from notifyctl.app.plan import derive
from notifyctl.app.providers import prepare_only
from notifyctl.app.workers.campaign_plan import render_campaign
from notifyctl.app.workspace import Workspace, open_workspace
from notifyctl.apply.batches import BatchSlice
from notifyctl.apply.counters import Counters
from notifyctl.apply.job import Job
from notifyctl.apply.write_ahead import WriteAhead
from notifyctl.errors import PlanRefusedError
from notifyctl.model.batch import Accepted, Rejected, Unknown
from notifyctl.model.campaign import Campaign, CampaignOptions, content_check
from notifyctl.model.events import Receipt, Verdict, VerdictSource
from notifyctl.model.ledger import BatchState
from notifyctl.ports import LedgerWriter
from notifyctl.testing import ManualClock

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: shop
defaultEnvironment: local
optOutOn: [complaint]
policy: {maxGrowthPercent: 100}
environments:
  local: {provider: sandbox, limits: {tps: 100, destinationsPerRequest: 4}}
"""
NOTIFICATION = """\
apiVersion: notifyctl/v1
kind: Notification
name: NAME
edition: EDITION
joiners: send
template:
  channel: sms
  content: {type: text, text: TEXT $(name)}
  locales: {fr: {content: {text: Bonjour $(name)}}}
audience: {source: {file: people.csv}, columns: {locale: language}}
"""
DECISIONS = """\
apiVersion: notifyctl/v1
kind: Withdraw
notification: news
edition: 1
reason: wrong text
---
apiVersion: notifyctl/v1
kind: Baseline
notification: terms
edition: 1
reason: sent by hand
"""
PEOPLE = [f"+4477009001{n:02},Name {n % 7},{'fr' if n % 3 else 'en'}" for n in range(30)]


class Project:
    """A project in a folder, as it is on one machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = ManualClock(AT)
        self.write("notifyctl.yaml", PROJECT)
        for name in ("offer", "news", "terms"):
            self.edit(name)
        self.people(PEOPLE[:20])

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")

    def edit(self, name: str, *, edition: int = 1, text: str = "Hello") -> None:
        values = {"NAME": name, "EDITION": str(edition), "TEXT": text}
        written = NOTIFICATION
        for key, value in values.items():
            written = written.replace(key, value)
        self.write(f"{name}.yaml", written)

    def people(self, rows: list[str]) -> None:
        self.write("people.csv", "\n".join(["msisdn,name,language", *rows]) + "\n")

    def open(self) -> Workspace:
        return open_workspace(self.root, environ={}, clock=self.clock)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def begin(workspace: Workspace, writer: LedgerWriter, *, only: tuple[str, ...] = ()) -> tuple[Campaign, Job]:
    """What `apply --workers` records before workers send."""
    environment, at = workspace.environment(None), workspace.clock.now()
    extent = writer.extent()
    plan = derive(workspace, environment, facts_from(writer.within(extent)), only=only)
    job = build_job(workspace, environment, plan)
    first = writer.next_batch()
    record_decisions(workspace, plan, writer, who="ada")
    WriteAhead(job, writer, workspace.clock, Counters()).record()
    for each in job.openings:
        writer.open_scope(each.scope, each.held, at=at, likeness=each.likeness)
    found = list(job.members())
    campaign = Campaign(
        epoch=extent.epoch,
        digest=plan.digest,
        project=ledger_name(workspace.sound, environment),
        revision=None,
        as_of=plan.as_of,
        options=CampaignOptions(only=only, extent=extent),
        first_batch=first,
        batches=len(found),
        recipients=plan.sends,
        content_check=content_check(found),
        at=at,
    )
    return campaign, job


def send_in_part(writer: LedgerWriter, campaign: Campaign) -> None:
    """One batch of each outcome, one tried again, one without an answer; the others are not attempted."""
    outcomes = [
        Accepted("p1", 201, refused={1: "no such number"}),
        Rejected("too many requests", 429, retryable=True),
        Unknown("read timed out"),
        Rejected("bad request", 400),
        None,
    ]
    for number, outcome in zip(campaign.numbers, outcomes, strict=False):
        writer.arm(number, 1, seal=b"seal", at=AT)
        if outcome is not None:
            writer.settle(number, 1, outcome, at=AT)
    writer.arm(campaign.first_batch + 1, 2, seal=b"seal", at=AT)
    writer.settle(campaign.first_batch + 1, 2, Accepted("p2", 201), at=AT)


def receipts(campaign: Campaign, name: str) -> list[Receipt]:
    """A delivery and a complaint for some of each of its first batches, also of those that were not accepted."""
    return [
        Receipt(f"{name} {number} {position}".encode(), AT, "failed", number, position, code=code)
        for number in campaign.numbers[:5]
        for position, code in ((0, "7521"), (1, "7500"))
    ]


def requests(workspace: Workspace, slices: dict[int, BatchSlice]) -> dict[int, bytes]:
    """The body of each request, which all of its recipients, values and texts are in."""
    provider = prepare_only(workspace, workspace.environment(None))
    return {
        number: each.members + provider.prepare(each.batch(number, 1, ledger="shop/local", seal=b"s")).content
        for number, each in slices.items()
    }


def test_a_campaign_renders_the_same_whatever_was_recorded_since(project: Project) -> None:
    workspace = project.open()
    store = ledger_store(workspace, workspace.environment(None))
    store.create()
    with store.writer("the first run") as writer:
        earlier, _ = begin(workspace, writer, only=("offer", "news"))
        send_in_part(writer, earlier)
    with store.inbox() as inbox:
        inbox.add(receipts(earlier, "before")[:2])
    project.edit("news", edition=2, text="Hello again")
    project.people(PEOPLE)
    project.write("decisions.yaml", DECISIONS)

    workspace = project.open()
    project.clock.advance(3_600)
    with store.writer("the campaign") as writer:
        campaign, job = begin(workspace, writer)
        wanted = requests(workspace, dict(zip(campaign.numbers, job.slices(), strict=True)))
        assert len(wanted) > 10
        kinds = {each.scope for each in job.slices()}
        assert {(each.notification, each.edition) for each in kinds} == {("offer", 1), ("news", 2)}

        def rendered(workspace: Workspace) -> dict[int, bytes]:
            with closing(store.reader()) as reader:
                found = render_campaign(workspace, workspace.environment(None), reader, campaign)
                return requests(workspace, dict(found))

        assert rendered(workspace) == wanted
        project.clock.advance(86_400)
        send_in_part(writer, campaign)
        with store.inbox() as inbox:
            inbox.add([*receipts(earlier, "late"), *receipts(campaign, "of its own")])
        assert derive_now(workspace, writer) != campaign.digest
        assert rendered(project.open()) == wanted
    with store.writer("resolve") as writer:
        for number in (*earlier.numbers, *campaign.numbers):
            words = [Verdict(None, BatchState.REJECTED, VerdictSource.RESOLVE, "asked them", "ada")]
            writer.resolve(number, words, at=AT)
    with store.writer("a later run") as writer:
        send_in_part(writer, begin(workspace, writer)[0])
    assert rendered(project.open()) == wanted


def derive_now(workspace: Workspace, writer: LedgerWriter) -> str:
    return derive(workspace, workspace.environment(None), facts_from(writer)).digest


def test_a_batch_is_found_by_its_number_on_any_thread(project: Project) -> None:
    workspace = project.open()
    store = ledger_store(workspace, workspace.environment(None))
    store.create()
    with store.writer("the campaign") as writer:
        campaign, job = begin(workspace, writer)
        slices = render_campaign(workspace, workspace.environment(None), writer, campaign)
        assert list(slices) == list(campaign.numbers)
        assert campaign.first_batch - 1 not in slices
        with pytest.raises(KeyError):
            slices[campaign.numbers[-1] + 1]
        wanted = [each.members for each in job.slices()]
        found: dict[int, bytes] = {}

        def read(numbers: list[int]) -> None:
            found.update({number: slices[number].members for number in numbers})

        backwards = [*reversed(campaign.numbers)]
        threads = [Thread(target=read, args=(backwards[at::3],)) for at in range(3)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert [found[number] for number in campaign.numbers] == wanted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.edit("offer", text="Hi"), "the plan of this machine is not that of the campaign"),
        (lambda p: p.people(PEOPLE[:19]), "the plan of this machine is not that of the campaign"),
        # The same recipients and texts, and so the same digest, but other requests.
        (lambda p: p.people(PEOPLE[19::-1]), "the messages that this machine would send are not those"),
        (
            lambda p: p.write("notifyctl.yaml", PROJECT.replace("Request: 4", "Request: 3")),
            "the messages that",
        ),
        (lambda p: p.write("notifyctl.yaml", PROJECT.replace("shop", "shed")), "not of `shed/local`"),
    ],
    ids=["text", "recipients", "order", "batch size", "project"],
)
def test_other_files_render_no_batch(
    project: Project, change: Callable[[Project], None], message: str
) -> None:
    workspace = project.open()
    store = ledger_store(workspace, workspace.environment(None))
    store.create()
    with store.writer("the campaign") as writer:
        campaign, _ = begin(workspace, writer)
        change(project)
        other = project.open()
        with pytest.raises(PlanRefusedError, match="takes no batch of run 1") as raised:
            render_campaign(other, other.environment(None), writer, campaign)
    assert message in raised.value.message
    assert "same files" in str(raised.value.hint)
