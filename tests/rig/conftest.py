"""What the rig's tests share: a sink and a warm process that runs commands, each for the whole session."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rig.ledgers import RigLedger, SqliteLedger
from tests.rig.projects import HERE, Rig, Talk


@pytest.fixture(scope="session")
def sink_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Talk, int]]:
    log = tmp_path_factory.mktemp("sink") / "unused.jsonl"
    with Talk("-I", "-S", str(HERE / "sink.py"), str(log)) as talk:
        yield talk, int(talk.line())


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory, sink_process: tuple[Talk, int]) -> Iterator[Talk]:
    """Warm: it has imported all that an apply imports."""
    folder = tmp_path_factory.mktemp("warm")
    with Talk(str(HERE / "runner.py")) as talk, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        rig = Rig(folder, talk, *sink_process)
        rig.fresh(1)
        assert rig.wait(rig.start(modules=folder / "modules")).code == 0
        assert int(talk.ask({"import": str(folder / "modules")})) > 100
        yield talk


@contextmanager
def opened(runner: Talk, sink_process: tuple[Talk, int], tmp_path: Path, ledger: RigLedger) -> Iterator[Rig]:
    """In memory where there is a place for it: no signal touches what the kernel holds, and fsync takes half of the time."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory)) if os.access(memory, os.W_OK) else tmp_path
    made = Rig(folder, runner, *sink_process, ledger)
    try:
        yield made
    finally:
        for pid in list(made.alive):  # of a test that failed: it would hold its connection for ever
            os.kill(pid, signal.SIGKILL)
            made.wait(pid)
        ledger.close()
        shutil.rmtree(folder)


@pytest.fixture
def rig(tmp_path: Path, runner: Talk, sink_process: tuple[Talk, int]) -> Iterator[Rig]:
    with opened(runner, sink_process, tmp_path, SqliteLedger()) as made:
        yield made
