"""The reasons of a plan's actions as phrases. Those that need no sentence are shown as their code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from notifyctl.plan.actions import BASELINE_REASON
from notifyctl.views.colours import strip_controls

RENAME = "suspected-rename of "
HIGHER = "higher-edition "


def spell_out(reason: str) -> str:
    """The reason as a phrase; itself where it has none."""
    line = strip_controls(reason)
    if line.startswith(BASELINE_REASON):
        return served_phrase(line.removeprefix(BASELINE_REASON).removesuffix(")"))
    if line.startswith(RENAME):
        return (
            f"suspected rename of {line.removeprefix(RENAME)}: this text was sent to them under that name, which is not"
            " defined any more; add a `kind: Moved` or `kind: Baseline` document"
        )
    if line.startswith(HIGHER):
        highest = line.removeprefix(HIGHER)
        return f"edition {highest} was sent before; raise `edition:` above {highest}"
    return line


def served_phrase(reason: str) -> str:
    """How every view names recipients whom a baseline counts as served."""
    return f"counts as served: baseline ({strip_controls(reason)})"


def describe_reasons(reasons: Mapping[str, int]) -> Iterator[str]:
    alone = len(reasons) == 1
    for reason, count in reasons.items():
        phrase = spell_out(reason)
        # A code is easier to read without its hyphens; an author's words stay as they are.
        phrase = phrase.replace("-", " ") if phrase == strip_controls(reason) else phrase
        yield phrase if alone else f"{count:,} {phrase}"
