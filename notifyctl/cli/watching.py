"""The display of `status --watch`: redrawn on a terminal, a line each time elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from notifyctl.cli.options import echo
from notifyctl.model.progress import Look, Rates
from notifyctl.views import watch as view
from notifyctl.views.colours import Paint

Display = Callable[[Look, Rates], None]


@contextmanager
def show_watch(*, form: str, colour: bool) -> Iterator[Display]:
    """Yields a function that shows what is seen. Only text is redrawn, and only on a terminal."""
    if form == "json":
        yield lambda look, rates: echo(view.as_json(look, rates), verbatim=True)
    elif sys.stdout.isatty():
        with redrawn(colour=colour) as display:
            yield display
    else:
        yield lambda look, rates: echo(view.as_line(look, rates), verbatim=True)


@contextmanager
def redrawn(*, colour: bool) -> Iterator[Display]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    paint = Paint(colour)
    console = Console(no_color=not colour, highlight=False)
    # The last block stays on the terminal when it ends.
    with Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:

        def display(look: Look, rates: Rates) -> None:
            live.update(Text.from_ansi("\n".join(view.as_block(look, rates, paint))), refresh=True)

        yield display
