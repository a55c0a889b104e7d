"""A campaign in the hands of a worker: its batches rendered here and compared, its provider, its sessions, and the thread that serves jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from notifyctl.app.account import account_of
from notifyctl.app.ledger import facts_from
from notifyctl.app.opt_outs import OptOutWatcher
from notifyctl.app.providers import open_provider
from notifyctl.app.workers.campaign_plan import render_campaign
from notifyctl.app.workspace import Workspace
from notifyctl.apply.job import OptedOut, Stop
from notifyctl.apply.report import Event
from notifyctl.apply.send_batch import BatchSender
from notifyctl.engine.queue import Queue, Waking
from notifyctl.errors import LedgerError
from notifyctl.model.batch import Outcome
from notifyctl.model.campaign import Campaign
from notifyctl.model.project import Environment
from notifyctl.model.recipients import Scope

if TYPE_CHECKING:
    from notifyctl.ledger.postgresql.store import PostgresStore
    from notifyctl.ledger.postgresql.worker_writer import PostgresWorkerWriter


class WorkerCampaign:
    """Made by `take_up`, which reads all audiences once. `number`: the worker's own, as it is now."""

    def __init__(
        self,
        workspace: Workspace,
        environment: Environment,
        store: PostgresStore,
        campaign: Campaign,
        *,
        number: Callable[[], int],
        queue: Queue,
        on_event: Callable[[Event], None],
        stop: Stop,
    ) -> None:
        self.campaign = campaign
        self.environment = environment
        self._workspace = workspace
        self._store = store
        self._number = number
        self._queue = queue
        self._stop = stop
        self._idle: list[PostgresWorkerWriter] = []
        self._stack = ExitStack()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._keeping = threading.Lock()
        self._renew = threading.Event()
        self._failure: BaseException | None = None
        try:
            self.sender = self._make_sender(on_event)
        except BaseException:
            self._stack.close()
            raise

    def _make_sender(self, on_event: Callable[[Event], None]) -> BatchSender:
        workspace, environment, campaign = self._workspace, self.environment, self.campaign
        reader = self._store.reader()
        self._stack.callback(reader.close)
        self._account = account_of(workspace, environment, reader.code) or b""
        slices = render_campaign(workspace, environment, reader, campaign)
        watcher = OptOutWatcher(workspace, environment, facts_from(reader), stale=True)

        def opted_out(scope: Scope, destinations: Sequence[str]) -> OptedOut:
            if self._renew.is_set():
                self._renew.clear()
                watcher.renew()
            return watcher(scope, destinations)

        provider = self._stack.enter_context(open_provider(workspace, environment))
        return BatchSender(
            replace(slices.job, opted_out=opted_out),
            slices,
            epoch=campaign.epoch,
            sessions=self._session,
            provider=provider,
            clock=workspace.clock,
            stop=self._stop,
            on_event=on_event,
            keep=self._keep,
        )

    def renew_opt_outs(self) -> None:
        """Receipts reported opt-outs: ask again before the next attempt who has opted out."""
        self._renew.set()

    def _keep(self, batch: int, attempt: int, outcome: Outcome, at: datetime) -> None:
        with self._keeping:
            self._store.keep(batch, attempt, outcome, at)

    def replay(self) -> None:
        """Records outcomes that this machine could not record before."""
        with self._keeping, self._session() as session:
            self._store.replay(session)

    def serve(self, *, concurrency: int, waking: Waking) -> None:
        """Starts to serve jobs, unless that goes on. Raises what ended it before: a defect, or LedgerError without a database."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        if self.is_serving or self.sender.halted is not None or self.sender.over is not None:
            return

        def work() -> None:
            try:
                self._queue.serve(
                    self.sender.send, concurrency=concurrency, waking=waking, stopping=self._is_stopping
                )
            except BaseException as error:  # noqa: BLE001 - raised again by the thread that looks after it
                self._failure = error

        self._thread = threading.Thread(target=work, name="queue", daemon=True)
        self._thread.start()

    @property
    def is_serving(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def close(self) -> None:
        """Finishes the requests in flight, and lets everything go. Raises a defect that ended it."""
        self._closing = True
        if self._thread is not None:
            self._thread.join()
        try:
            if self._failure is not None and not isinstance(self._failure, LedgerError):
                raise self._failure
        finally:
            for session in self._idle:
                session.close()
            self._idle.clear()
            self._stack.close()

    def _is_stopping(self) -> bool:
        sender = self.sender
        ended = self._closing or sender.halted is not None or sender.over is not None
        return ended or self._stop.requested

    @contextmanager
    def _session(self) -> Iterator[PostgresWorkerWriter]:
        """A session that no other thread uses; one that failed is not used again."""
        session = self._idle.pop() if self._idle else self._new_session()
        try:
            yield session
        except BaseException:
            session.close()
            raise
        self._idle.append(session)

    def _new_session(self) -> PostgresWorkerWriter:
        from notifyctl.ledger.postgresql.worker_writer import PostgresWorkerWriter

        database = self._store.connect_to_write()
        try:
            return PostgresWorkerWriter(
                database,
                self._store.identify(database),
                campaign=self.campaign,
                worker=self._number(),
                account=self._account,
                limits=self.environment.limits,
                defer=self._queue.defer,
            )
        except BaseException:
            database.close()
            raise
