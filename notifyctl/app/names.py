"""Names of notifications as a command line gives them: the nearest to an unknown one, and patterns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from notifyctl.errors import UsageError

MOST_NAMED = 10
"""Names listed where none comes near."""


def refuse_unknown_name(name: str, known: Collection[str]) -> None:
    """Raises UsageError with the nearest name, or a few of them, unless the name is known."""
    if name in known:
        return
    near = get_close_matches(name, known, n=1)
    names = sorted(known)
    more = f", … ({len(names) - MOST_NAMED:,} more)" if len(names) > MOST_NAMED else ""
    listed = f"defined: {', '.join(names[:MOST_NAMED])}{more}" if names else "no notification is defined"
    raise UsageError(f"unknown notification `{name}`", hint=f"did you mean `{near[0]}`?" if near else listed)


def is_pattern(name: str) -> bool:
    return any(sign in name for sign in "*?[")


def is_chosen(name: str, only: Sequence[str]) -> bool:
    """Whether a name is one of `only` or matches a pattern in it; all are if there is none."""
    return not only or any(name == each or fnmatchcase(name, each) for each in only)


def expand_names(only: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """The names that `--only` chooses, with patterns such as `outage-*`. Raises UsageError for one that chooses none."""
    for each in only:
        if not is_pattern(each):
            refuse_unknown_name(each, known)
        elif not any(fnmatchcase(name, each) for name in known):
            raise UsageError(
                f"no notification matches `{each}`", hint="quote the pattern, for example 'outage-*'"
            )
    return tuple(name for name in known if is_chosen(name, only)) if only else ()
