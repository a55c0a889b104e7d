"""Changes of a file as a unified diff, which `patch` accepts if the file has no control characters."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff

from notifyctl.views.colours import Paint, strip_controls

NO_LINE_END = "\\ No newline at end of file"


def as_diff(path: str, before: bytes, after: bytes, *, colour: bool) -> str:
    """Control characters are shown as codes, the CR of a Windows line end too."""
    paint = Paint(colour)
    label = strip_controls(path).lstrip("/")
    lines = unified_diff(split_lines(before), split_lines(after), f"a/{label}", f"b/{label}")
    return "\n".join(each for line in lines for each in colour_line(line, paint))


def split_lines(data: bytes) -> list[str]:
    """The lines with their line ends; a byte order mark is shown."""
    text = data.decode("utf-8", "replace").replace("\ufeff", "\\ufeff")
    return [f"{line}\n" for line in text.split("\n")[:-1]] + [text.rpartition("\n")[2]] * (
        not text.endswith("\n")
    )


def colour_line(line: str, paint: Paint) -> Iterator[str]:
    shade = {"@": paint.cyan, "-": paint.red, "+": paint.green}.get(line[:1], str)
    head = line.startswith(("--- ", "+++ ", "@@ "))
    shown = strip_controls(line.removesuffix("\n"))
    yield paint.bold(shown) if head and not line.startswith("@") else shade(shown)
    if not head and not line.endswith("\n"):
        yield NO_LINE_END
