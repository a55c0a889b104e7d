"""Runs command lines of notifyctl in processes of their own, without paying for the imports each time.

    python runner.py

imports notifyctl once and then forks: each child is a process like any other (its own memory, files, connections, signals),
it only did not import by itself. No thread runs and nothing is open when it forks. Input: one JSON object a line,
`{"argv": […], "environ": {…}, "fault": {…}, "out": FILE, "err": FILE}` starts a child and answers its pid, with
`"clock": FILE` by the time of that file; `{"wait": PID}`
answers how it ended, `exit N` or `signal N`, or that it was stopped, `stop N`, and `{"poll": PID}` the same or that it is still
`running`. With `"expect": true` the child first plans,
in the same way but without the fault, and adds the digest that it gets: what a person does who reviews the plan. A child with
`"modules": FILE` writes there what it has imported, and `{"import": FILE}` imports the same here, for those to come.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from notifyctl.cli.main import run
from tests.rig.virtual_time import follow


def start(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = child(order)
        if "modules" in order:
            Path(order["modules"]).write_text("\n".join(sys.modules), encoding="utf-8")
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def child(order: dict[str, Any]) -> int:
    argv = list(order["argv"])
    if "clock" in order:
        follow(Path(order["clock"]), slowest=order.get("slowest", 0.0))
    redirect(os.devnull, 0, os.O_RDONLY)
    redirect(order["err"], 2)
    os.environ.update(order["environ"])
    if order.get("expect"):
        planned = f"{order['out']}.plan"
        redirect(planned, 1)
        code = run(["plan", *argv[1:3], "--format", "json"])
        sys.stdout.flush()
        if code:
            return code
        argv += ["--expect", json.loads(Path(planned).read_text(encoding="utf-8"))["digest"]]
    redirect(order["out"], 1)
    os.environ.update(order["fault"])
    return run(argv)


def redirect(path: str, descriptor: int, flags: int = os.O_WRONLY | os.O_CREAT | os.O_TRUNC) -> None:
    opened = os.open(path, flags, 0o600)
    os.dup2(opened, descriptor)
    os.close(opened)


def wait(pid: int, options: int = os.WUNTRACED) -> str:
    found, status = os.waitpid(pid, options)
    if not found:
        return "running"
    if os.WIFSTOPPED(status):
        return f"stop {os.WSTOPSIG(status)}"
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    return f"exit {os.WEXITSTATUS(status)}"


def adopt(path: str) -> int:
    """Import what a child had imported; returns how many modules that were."""
    names = Path(path).read_text(encoding="utf-8").splitlines()
    for name in names:
        with suppress(ImportError):  # a private name, made by another module
            importlib.import_module(name)
    # What is here now is for good: a child that looked for garbage in it would copy all of it.
    gc.collect()
    gc.freeze()
    return len(names)


def answer_to(order: dict[str, Any]) -> object:
    if "wait" in order:
        return wait(order["wait"])
    if "poll" in order:
        return wait(order["poll"], os.WNOHANG)
    return adopt(order["import"]) if "import" in order else start(order)


def main() -> None:
    for line in sys.stdin:
        answer = answer_to(json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
