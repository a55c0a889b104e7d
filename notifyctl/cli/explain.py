"""`notifyctl explain`: the page of a rule that lint told."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from notifyctl.cli.options import global_options, say
from notifyctl.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from notifyctl.lint.pages import Page


def known_of(page: Page) -> Iterator[str]:
    yield page.severity
    if page.numbers:
        yield f"API rule {' and '.join(map(str, page.numbers))}"
    if page.profile:
        yield f"profile {page.profile} only"


@click.command("explain")
@click.argument("rule", required=False)
@global_options
def command(rule: str | None) -> int:
    """Say what a rule of lint means and how to mend what it tells; without RULE, list all rules.

    \b
    notifyctl explain needs-unicode
    """
    from notifyctl.lint.pages import PAGES

    if rule is None:
        say("\n".join(f"{page.severity:<8} {name}" for name, page in sorted(PAGES.items())))
        return ExitCode.DONE
    if rule not in PAGES:
        near = get_close_matches(rule, PAGES, n=1)
        raise UsageError(
            f"there is no rule {rule!r}",
            hint=f"did you mean {near[0]!r}?" if near else "`notifyctl explain` lists them",
        )
    page = PAGES[rule]
    say(f"{rule} ({', '.join(known_of(page))})\n\n{page.text}")
    return ExitCode.DONE
