"""Progress of an apply on standard error: a bar on a terminal, occasional lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from notifyctl.apply.report import Event, Followed, Planned, Settled, Waiting
from notifyctl.cli.options import echo
from notifyctl.command_line import command_line
from notifyctl.model.batch import Accepted, Unknown
from notifyctl.model.campaign import Progress
from notifyctl.plurals import pluralise

LINE_EVERY = 10.0  # seconds between lines without a terminal
MIN_WAIT_SHOWN = 1.0  # seconds; shorter waits are not shown


@contextmanager
def show_apply_progress(*, colour: bool) -> Iterator[Callable[[Event], None]]:
    """Yields a function that displays the events of a run."""
    if sys.stderr.isatty() and colour:
        with progress_bar() as display:
            yield display
    else:
        yield ApplyProgressLines()


class ApplyProgressLines:
    """Prints a progress line at most every LINE_EVERY seconds, and one line per failed batch."""

    def __init__(self) -> None:
        self.total = self.done = 0
        self.workers: int | None = None
        self.last_line = monotonic()

    def __call__(self, event: Event) -> None:
        match event:
            case Planned(batches, recipients):
                self.total = recipients
                message = (
                    f"Sending to {pluralise(recipients, 'recipient')} in {pluralise(batches, 'request')}."
                )
                echo(message, stderr=True)
            case Settled(number, recipients, outcome, is_retry):
                self.done += 0 if is_retry else recipients
                if not isinstance(outcome, Accepted) and not is_retry:
                    echo(f"Batch {number}: {describe_failure(outcome)}", stderr=True)
                if monotonic() - self.last_line >= LINE_EVERY:
                    self.last_line = monotonic()
                    echo(f"{self.done:,} of {self.total:,} recipients processed.", stderr=True)
            case Waiting(seconds, why) if seconds >= MIN_WAIT_SHOWN:
                echo(describe_wait(seconds, why), stderr=True)
            case Followed(progress, workers):
                self.done = progress.accepted + progress.rejected + progress.unknown
                if workers != self.workers and not workers:
                    echo(no_worker(), stderr=True)
                self.workers = workers
                if monotonic() - self.last_line >= LINE_EVERY:
                    self.last_line = monotonic()
                    echo(f"{describe_progress(progress)} {pluralise(workers, 'worker')}.", stderr=True)


def describe_failure(outcome: object) -> str:
    """Describes the outcome of a failed batch in one line."""
    kind = "outcome unknown" if isinstance(outcome, Unknown) else "not accepted"
    return f"{kind}: {getattr(outcome, 'reason', '')}"


def describe_progress(progress: Progress) -> str:
    """How far workers are, in one sentence."""
    done = progress.accepted + progress.rejected + progress.unknown
    return (
        f"{done:,} of {progress.recipients:,} recipients processed; {progress.done:,} of"
        f" {pluralise(progress.batches, 'batch', 'batches')} done."
    )


def no_worker() -> str:
    return f"No worker is running; nothing is sent until one is. To start one, run: {command_line('worker')}"


def describe_wait(seconds: float, why: str) -> str:
    return f"Waiting {seconds:.0f} s {why}."


@contextmanager
def progress_bar() -> Iterator[Callable[[Event], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("[bold]Sending"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("recipients"),
        TimeRemainingColumn(),
    )
    # It is drawn from the first event on: before, a person may be asked, or nothing is to be sent.
    bar = Bar(*columns, console=Console(stderr=True))
    task = bar.add_task("sending", total=None)
    running: list[int] = []

    def display(event: Event) -> None:
        match event:
            case Followed(progress, workers):
                bar.update(task, completed=progress.accepted + progress.rejected + progress.unknown)
                if not workers and running[-1:] != [0]:
                    bar.console.print(no_worker(), markup=False, highlight=False)
                running[:] = [workers]
            case Planned(_, recipients):
                bar.update(task, total=recipients)
                bar.start()
            case Settled(number, recipients, outcome, is_retry):
                bar.advance(task, 0 if is_retry else recipients)
                if not isinstance(outcome, Accepted) and not is_retry:
                    bar.console.print(
                        f"Batch {number}: {describe_failure(outcome)}", markup=False, highlight=False
                    )
            case Waiting(seconds, why) if seconds >= MIN_WAIT_SHOWN:
                bar.console.print(describe_wait(seconds, why), markup=False, highlight=False)

    try:
        yield display
    finally:
        bar.stop()
