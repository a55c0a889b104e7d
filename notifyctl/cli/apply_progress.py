"""Progress of an apply on standard error: a bar on a terminal, occasional lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from notifyctl.apply.run import Event, Planned, Settled, Waiting
from notifyctl.cli.options import echo
from notifyctl.model.batch import Accepted, Unknown
from notifyctl.views.diagnostics import pluralise

LINE_EVERY = 10.0  # seconds between lines without a terminal
MIN_WAIT_SHOWN = 1.0  # seconds; shorter waits are not shown


@contextmanager
def report_progress(*, colour: bool) -> Iterator[Callable[[Event], None]]:
    """Yields a function that displays the events of a run."""
    if sys.stderr.isatty() and colour:
        with progress_bar() as tell:
            yield tell
    else:
        yield LineProgress()


class LineProgress:
    """Prints a progress line at most every LINE_EVERY seconds, and one line per failed batch."""

    def __init__(self) -> None:
        self.total = self.done = 0
        self.said = monotonic()

    def __call__(self, event: Event) -> None:
        match event:
            case Planned(batches, recipients):
                self.total = recipients
                said = f"Sending to {pluralise(recipients, 'recipient')} in {pluralise(batches, 'request')}."
                echo(said, stderr=True)
            case Settled(number, recipients, outcome, again):
                self.done += 0 if again else recipients
                if not isinstance(outcome, Accepted) and not again:
                    echo(f"Batch {number}: {describe_failure(outcome)}", stderr=True)
                if monotonic() - self.said >= LINE_EVERY:
                    self.said = monotonic()
                    echo(f"{self.done:,} of {self.total:,} recipients done.", stderr=True)
            case Waiting(seconds, why) if seconds >= MIN_WAIT_SHOWN:
                echo(f"Waiting {seconds:.0f} s: {why}.", stderr=True)


def describe_failure(outcome: object) -> str:
    kind = "uncertain" if isinstance(outcome, Unknown) else "not accepted"
    return f"{kind}: {getattr(outcome, 'reason', '')}"


@contextmanager
def progress_bar() -> Iterator[Callable[[Event], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("[bold]Sending"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("recipients"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task("sending", total=None)

        def tell(event: Event) -> None:
            match event:
                case Planned(_, recipients):
                    shown.update(task, total=recipients)
                case Settled(number, recipients, outcome, again):
                    shown.advance(task, 0 if again else recipients)
                    if not isinstance(outcome, Accepted) and not again:
                        shown.console.print(
                            f"Batch {number}: {describe_failure(outcome)}", markup=False, highlight=False
                        )
                case Waiting(seconds, why) if seconds >= MIN_WAIT_SHOWN:
                    shown.console.print(f"Waiting {seconds:.0f} s: {why}.", markup=False, highlight=False)

        yield tell
