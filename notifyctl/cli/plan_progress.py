"""Progress of a plan on standard error: a status line on a terminal, occasional lines elsewhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from notifyctl.cli.options import echo
from notifyctl.progress import Progress

if TYPE_CHECKING:
    from notifyctl.app.workspace import Workspace

SHOW_AFTER = 1.0
"""Seconds before the first status is shown."""
SPINNER = 4
"""Columns of the sign before the status and behind it."""
LINE_EVERY = 10.0
"""Seconds between lines without a terminal."""
UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
MIN_SIZE = 64 << 20


class SizeParam(click.ParamType[int]):
    """A number of bytes, optionally with the suffix k, M or G."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = re.fullmatch(r"([0-9]{1,9}) ?([kmg]?)i?b?", str(value).strip().lower())
        if match is None or int(match[1]) * UNITS[match[2]] < MIN_SIZE:
            self.fail(
                f'"{value}" is not a valid size of at least 64M; use for example 900M or 4G', param, ctx
            )
        return int(match[1]) * UNITS[match[2]]


memory_option = click.option(
    "--memory",
    metavar="SIZE",
    type=SizeParam(),
    expose_value=False,
    help="Has no effect; accepted for existing scripts.",
)


@contextmanager
def show_plan_progress(workspace: Workspace, *, colour: bool) -> Iterator[Workspace]:
    """Yields the workspace with a progress display."""
    from msgspec.structs import replace

    if sys.stderr.isatty() and colour:
        with status_line() as display:
            yield replace(workspace, show_progress=display)
    else:
        yield replace(workspace, show_progress=PlanProgressLines())


def format_progress(step: Progress, seconds: float) -> str:
    """Formats one line: the current step, and the number of rows or the time left. `seconds`: time since the start."""
    text = f"Planning {step.notification}: {step.doing}"
    if step.rows is not None:
        return f"{text}, {step.rows:,} rows"
    if step.share:
        return f"{text}, about {seconds / step.share - seconds:.0f} s left"
    return text


class PlanProgressLines:
    """Prints a line at most every LINE_EVERY seconds."""

    def __init__(self) -> None:
        self.last_line = monotonic()
        self.started: dict[str, float] = {}

    def __call__(self, step: Progress) -> None:
        now = monotonic()
        started = self.started.setdefault(step.notification, now)
        if now - self.last_line >= LINE_EVERY:
            self.last_line = now
            echo(f"{format_progress(step, now - started)}.", stderr=True)


@contextmanager
def status_line() -> Iterator[Callable[[Progress], None]]:
    """Yields a function that updates a status line on the terminal, shown for slow plans only."""
    statuses: list[Any] = []
    started: dict[str, float] = {}
    start = monotonic()

    def display(step: Progress) -> None:
        now = monotonic()
        since = started.setdefault(step.notification, now)
        if now - start < SHOW_AFTER and step.share is None:
            return
        if not statuses:
            from rich.console import Console

            statuses.append(Console(stderr=True).status(""))
            statuses[0].start()
        line, room = format_progress(step, now - since), statuses[0].console.width - SPINNER
        statuses[0].update(line if len(line) <= room else line[: room - 1] + "…")

    try:
        yield display
    finally:
        for each in statuses:
            each.stop()
