"""The ledgers that the rig is tried with: how a project names one, how a new one is made, and how its lock is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from notifyctl.app.ledger import ledger_store
from notifyctl.app.workspace import Workspace
from notifyctl.fault_injection import Point
from tests.postgres import copied_database, drop_database, end_sessions


class RigLedger(Protocol):
    lines: str
    """Of the environment in notifyctl.yaml."""
    points: frozenset[Point]
    """Those that an ordinary run passes."""

    @property
    def environ(self) -> dict[str, str]:
        """Of a process that runs a command."""

    @property
    def direct(self) -> dict[str, str]:
        """Of the oracle: there is nothing in its way."""

    def begin(self, workspace: Callable[[], Workspace]) -> None:
        """A new ledger, for a project whose files are written."""

    def lose_lock(self, workspace: Workspace) -> None:
        """Whoever holds the lock has lost it, and does not know."""

    def overtaking(self, point: Point) -> set[int]:
        """How another run may end whose predecessor is paused there and has lost the lock."""

    def close(self) -> None: ...


class SqliteLedger:
    lines = ""
    points = frozenset(Point)

    @property
    def environ(self) -> dict[str, str]:
        return {}

    @property
    def direct(self) -> dict[str, str]:
        return {}

    def begin(self, workspace: Callable[[], Workspace]) -> None:
        create(workspace())

    def lose_lock(self, workspace: Workspace) -> None:
        """As on a file system that knows none."""
        (workspace.root / ".notifyctl" / "production.db.lock").unlink()

    def overtaking(self, point: Point) -> set[int]:
        """One that was paused while it wrote has the file locked, too: then the other one cannot begin."""
        return {5} if point.endswith(".commit") else {0, 7}

    def close(self) -> None:
        pass


class PostgresLedger:
    """A database for each ledger, of a server for all tests."""

    lines = "    ledger: {urlEnv: LEDGER_URL}\n"
    points = frozenset(Point) - {Point.MARKED, Point.ARM_MARKED}

    def __init__(self, server: str, way: Callable[[str], str] = str) -> None:
        """`way`: makes of the URL of a database the one that processes are given."""
        self._server = server
        self._way = way
        self.url = ""

    @property
    def environ(self) -> dict[str, str]:
        return {"LEDGER_URL": self._way(self.url)}

    @property
    def direct(self) -> dict[str, str]:
        return {"LEDGER_URL": self.url}

    def begin(self, workspace: Callable[[], Workspace]) -> None:
        def prepare(url: str) -> None:
            self.url = url
            create(workspace())

        self.close()
        self.url = copied_database(self._server, "rig", prepare)

    def lose_lock(self, workspace: Workspace) -> None:
        """The server ends the session, as when its machine restarts."""
        end_sessions(self.url)

    def overtaking(self, point: Point) -> set[int]:
        """What it had not committed went with its session."""
        return {0, 7}

    def close(self) -> None:
        if self.url:
            drop_database(self.url, self._server)
            self.url = ""


def create(workspace: Workspace) -> None:
    ledger_store(workspace, workspace.environment(None)).create()
