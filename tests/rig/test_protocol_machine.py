"""Random histories of edits, joiners, clock moves, crashes, two runners and a lying provider.

All in one process, on a clock that nobody waits for: what the crash loop does with real processes at each point, this does with
histories that nobody thought of. After every run: P1 nobody twice in an edition; P3 nothing that the reviewed plan does not
hold; P4 whom the provider has is accepted or uncertain in the ledger, and whom the ledger has for accepted, the provider has.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from notifyctl.app.apply import build_job
from notifyctl.app.ledger import facts_from
from notifyctl.app.plan import derive
from notifyctl.app.workspace import Workspace
from notifyctl.apply.run import Stop, run
from notifyctl.channels import CHANNELS
from notifyctl.config.load import load_project
from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.model.batch import Accepted, Batch, Outcome, PreparedRequest, Refused, Rejected, Unknown
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import Scope
from notifyctl.plan.actions import Action
from notifyctl.plan.model import Plan
from notifyctl.plan.statuses import recipient_statuses
from notifyctl.ports import LedgerStore, LedgerWriter
from notifyctl.testing import ManualClock, MemoryFiles, TemporaryLedger, whole

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
TAKES = {"honest", "lost"}
"""Behaviours with which the provider has the message."""
ANSWERS: dict[str, Outcome] = {
    "honest": Accepted("id", 201),
    "lost": Unknown("no answer in time"),
    "never": Unknown("no answer in time"),
    "bad": Rejected("the provider rejected the request (400)", 400),
    "busy": Rejected("over the account's rate (429)", 429, retryable=True),
    "away": Rejected("no connection to the provider", retryable=True),
    "locked out": Refused("the provider refused the credentials (401)", 401),
}
PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
defaultEnvironment: production
environments:
  production:
    provider: webexconnect
    endpoint: https://api.example/v2/messages
    auth: {jwt: {serviceIdEnv: SERVICE_ID, secretEnv: SERVICE_SECRET}}
    senders: {sms: CNNECT}
    limits: {tps: 1000, tpsCounts: calls, concurrency: 1, destinationsPerRequest: 2}
"""
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
edition: {edition}
template: {{channel: sms, content: {{type: text, text: "{text}"}}}}
audience: {{source: {{file: people.csv}}}}
"""

Sending = tuple[int, str, str]
"""Edition, address, text."""


class Crashed(BaseException):
    """The process is gone. Nothing that expects errors catches it."""


class Dying:
    """A writer whose process dies at its n-th verb, before what the verb does or after it."""

    VERBS = frozenset({"plan_batches", "open_scope", "arm", "settle"})

    def __init__(self, writer: LedgerWriter, at: int | None, *, after: bool) -> None:
        self._writer, self._left, self._after = writer, at, after

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._writer, name)
        if name not in self.VERBS or self._left is None:
            return verb
        self._left -= 1
        if self._left:
            return verb

        def die(*values: Any, **named: Any) -> None:
            if self._after:
                verb(*values, **named)
            raise Crashed

        return die


class Liar:
    """A provider that keeps to a script, and to a log of what it took."""

    identity = "liar"

    def __init__(self, script: Iterable[str], log: list[Sending], before: Callable[[], None]) -> None:
        self._script, self._log, self._before = iter(script), log, before
        self.asked: list[Sending] = []

    def prepare(self, batch: Batch) -> PreparedRequest:
        content = dict(batch.message.content or {})
        to = [address for entry in batch.to for address in entry.addresses]
        body = {"edition": batch.scope.edition, "to": to, "text": content["text"]}
        return PreparedRequest("POST", "https://api.example/v2/messages", {}, json.dumps(body).encode())

    def send(self, request: PreparedRequest) -> Outcome:
        self._before()
        body = request.body
        messages = [(body["edition"], address, body["text"]) for address in body["to"]]
        how = next(self._script, "honest")
        self.asked += messages
        if how in TAKES:
            self._log += messages
        return ANSWERS[how]

    def close(self) -> None:
        pass


behaviours = st.lists(st.sampled_from([*ANSWERS, "honest", "honest", "lost"]), max_size=6)
crashes = st.one_of(st.none(), st.integers(1, 9))


class Histories(RuleBasedStateMachine):
    """`make` and `lose_lock` say which ledger is under test."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(AT)
        self.log: list[Sending] = []
        self.people: list[int] = []
        self.edition, self.text = 1, "Hello"
        self.reviewed: Plan | None = None
        self.store = self.make()
        self.store.create()

    def make(self) -> LedgerStore:
        raise NotImplementedError

    def lose_lock(self) -> None:
        raise NotImplementedError

    @initialize(count=st.integers(1, 7))
    def begin(self, count: int) -> None:
        self.people = list(range(count))

    def workspace(self) -> Workspace:
        rows = "".join(f"+447700900{number:03d}\n" for number in self.people)
        files = MemoryFiles(
            {
                "notifyctl.yaml": PROJECT,
                "hello.yaml": HELLO.format(edition=self.edition, text=self.text),
                "people.csv": f"msisdn\n{rows}",
            }
        )
        loaded = load_project(files, [channel.shape for channel in CHANNELS.values()])
        return Workspace(Path("/nowhere"), files, loaded.project, tuple(loaded.diagnostics), {}, self.clock)

    def review(self) -> Plan:
        workspace = self.workspace()
        with closing(self.store.reader()) as reader:
            return derive(workspace, workspace.environment(None), facts_from(reader))

    @rule(text=st.sampled_from(["Hello", "Good day", "Good night"]))
    def edit(self, text: str) -> None:
        self.text = text

    @rule()
    def another_edition(self) -> None:
        self.edition += 1

    @rule(count=st.integers(1, 3))
    def join(self, count: int) -> None:
        self.people += range(len(self.people), len(self.people) + count)

    @rule(seconds=st.sampled_from([1, 61, 3600, 86_400]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def look_at_the_plan(self) -> None:
        self.reviewed = self.review()

    @rule(
        script=behaviours,
        crash=crashes,
        after=st.booleans(),
        overtaken=st.one_of(st.none(), st.integers(1, 3)),
        slept=st.sampled_from([0, 0, 90]),
    )
    def apply(
        self, script: list[str], crash: int | None, *, after: bool, overtaken: int | None, slept: int
    ) -> None:
        """Apply what was reviewed last. At its `overtaken`th request it sleeps, and another run takes over meanwhile."""
        requests = 0

        def before() -> None:
            nonlocal requests
            requests += 1
            if requests == overtaken:
                self.clock.advance(slept)
                self.lose_lock()
                self.carry_out(self.review(), Liar([], self.log, lambda: None))

        reviewed, self.reviewed = self.reviewed or self.review(), None
        self.carry_out(reviewed, Liar(script, self.log, before), crash=crash, after=after)

    def carry_out(
        self, reviewed: Plan, provider: Liar, *, crash: int | None = None, after: bool = False
    ) -> None:
        """What `notifyctl apply --expect` does, with this provider."""
        workspace = self.workspace()
        environment = workspace.environment(None)
        with suppress(Crashed, LedgerLockedError, LedgerError), self.store.writer("machine") as writer:
            plan = derive(workspace, environment, facts_from(writer))
            if plan.digest == reviewed.digest and plan.send_groups:
                run(
                    build_job(workspace, environment, plan),
                    writer=cast("LedgerWriter", Dying(writer, crash, after=after)),
                    provider=provider,
                    clock=self.clock,
                    on_event=lambda _: None,
                    stop=Stop(),
                    random=Random(1),
                )
        # P3: retries aside, what was asked for is what the reviewed plan holds.
        assert set(provider.asked) <= set(effects(reviewed)), "sent what was not reviewed"
        self.nobody_is_lost_or_served_twice()

    def nobody_is_lost_or_served_twice(self) -> None:
        times = Counter((edition, address) for edition, address, _ in self.log)
        assert max(times.values(), default=0) <= 1, "P1: somebody was served twice"
        served = set(times)
        with closing(self.store.reader()) as reader:
            for edition in range(1, self.edition + 1):
                scope = Scope("hello", edition, "once", ChannelName.SMS)
                addresses = [f"+447700900{number:03d}" for number in self.people]
                known = recipient_statuses(reader.facts(scope))
                for address, key in zip(addresses, reader.recipient_ids(addresses), strict=True):
                    kind = known[key].kind if key in known else "not begun"
                    if kind == "accepted":
                        assert (edition, address) in served, "P4: accepted, and the provider never had it"
                    elif (edition, address) in served:
                        assert kind == "uncertain", f"P4: the provider has it, and the ledger says {kind}"

    def teardown(self) -> None:
        """Nobody is lost: an honest run to the end leaves everybody served, uncertain, or blocked by a rule that plan names."""
        if not self.people:
            return
        for _ in range(2):
            self.carry_out(self.review(), Liar([], self.log, lambda: None))
        plan = self.review()
        assert plan.sends == 0
        served = {(edition, address) for edition, address, _ in self.log}
        scope = Scope("hello", self.edition, "once", ChannelName.SMS)
        addresses = [f"+447700900{number:03d}" for number in self.people]
        with closing(self.store.reader()) as reader:
            known = recipient_statuses(reader.facts(scope))
            ids = dict(zip(addresses, reader.recipient_ids(addresses), strict=True))
        unserved = [key for address, key in ids.items() if (self.edition, address) not in served]
        silent = [key for key in unserved if key not in known or known[key].kind != "uncertain"]
        assert len(silent) == plan.summary[Action.BLOCKED]


def effects(plan: Plan) -> Iterable[Sending]:
    for group in plan.send_groups:
        content = dict(group.message.content or {})
        for address in whole(group.units).destinations:
            yield group.scope.edition, address, content["text"]


class OnDisk(Histories):
    def make(self) -> LedgerStore:
        self.ledger = TemporaryLedger(clock=self.clock)
        return self.ledger

    def lose_lock(self) -> None:
        self.ledger.lose_lock()


TestOnDisk = OnDisk.TestCase
TestOnDisk.settings = settings(
    max_examples=52,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
