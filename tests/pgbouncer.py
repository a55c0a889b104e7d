"""A real PgBouncer between a test and its server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests import requirements


@contextmanager
def pgbouncer(server_url: str, mode: str, *, servers: int = 20) -> Iterator[str]:
    """The URL of the same database by way of a pool in this mode, with at most so many connections to the server."""
    from psycopg.conninfo import conninfo_to_dict

    program = requirements.program("pgbouncer")
    parts = conninfo_to_dict(server_url)
    server = " ".join(f"{name}={parts[name]}" for name in ("host", "port") if parts.get(name))
    user = str(parts.get("user", "postgres"))
    folder = Path(tempfile.mkdtemp(prefix="notifyctl-pool-"))
    (folder / "users").write_text(f'"{user}" ""\n')
    (folder / "settings").write_text(
        f"[databases]\n* = {server}\n[pgbouncer]\npool_mode = {mode}\ndefault_pool_size = {servers}\n"
        f"unix_socket_dir = {folder}\nlisten_port = 6432\nauth_type = trust\nauth_file = {folder}/users\n"
        "query_wait_timeout = 10\nclient_login_timeout = 10\n"
    )
    # As root it refuses to run: it runs as the server's user, who may use the server's socket.
    owner = Path(str(parts["host"])).stat().st_uid if os.geteuid() == 0 else None
    if owner is not None:
        os.chown(folder, owner, -1)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [program, str(folder / "settings")], stdout=log, stderr=log, user=owner, cwd=folder
        )
    try:
        url = f"postgresql://{user}:@/{urlsplit(server_url).path[1:]}?host={folder}&port=6432"
        wait_for(process, folder)
        yield url
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Until it listens."""
    deadline = time.monotonic() + 30
    while not (folder / ".s.PGSQL.6432").exists():
        said = (folder / "log").read_text()
        assert process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.01)
