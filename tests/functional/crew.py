"""Workers of a project in this process, each on threads of its own, and what they reported."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notifyctl.app.runner.events import EventKind, RunnerEvent
from notifyctl.app.workers.worker import Worker, WorkerSettings
from notifyctl.app.workspace import Workspace, open_workspace
from notifyctl.apply.job import Stop
from notifyctl.engine.procrastinate_queue import ProcrastinateQueue
from notifyctl.engine.queue import Waking
from notifyctl.model.project import Environment

QUICK = WorkerSettings(waking=Waking(poll=0.1), look=0.05)


class Hand:
    """One worker on a thread."""

    def __init__(self, root: Path, settings: WorkerSettings = QUICK) -> None:
        self.stop = Stop()
        self.events: list[RunnerEvent] = []
        self.error: BaseException | None = None

        def read() -> tuple[Workspace, Environment]:
            workspace = open_workspace(root)
            return workspace, workspace.environment(None)

        self.worker = Worker(
            read, ProcrastinateQueue, settings=settings, report=self.events.append, stop=self.stop
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.worker.run()
        except BaseException as error:  # noqa: BLE001 - compared by a test
            self.error = error

    @property
    def said(self) -> str:
        return "\n".join(f"{each.kind}: {each.text}" for each in self.events)

    def has(self, kind: EventKind) -> bool:
        return any(each.kind is kind for each in self.events)

    def join(self) -> None:
        self._thread.join(timeout=30)
        assert not self._thread.is_alive(), "the worker does not end"


@contextmanager
def crew(root: Path, count: int = 2, settings: WorkerSettings = QUICK) -> Iterator[list[Hand]]:
    """So many workers until the block ends. Raises what ended one early."""
    hands = [Hand(root, settings) for _ in range(count)]
    try:
        yield hands
    finally:
        for hand in hands:
            hand.stop.request()
        for hand in hands:
            hand.join()
    for hand in hands:
        if hand.error is not None:
            raise hand.error
