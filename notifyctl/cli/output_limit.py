"""Limits the output of commands that process untrusted projects."""

from __future__ import annotations

import io
import sys
from typing import TextIO

from notifyctl.errors import UntrustedError

CUT_NOTICE = "\n… (the rest is omitted)\n"


class BoundedStream(io.TextIOBase):
    """A text stream with a limit of `most` bytes.

    If `cut` is set, text beyond the limit is cut off; otherwise writing it raises UntrustedError.
    """

    def __init__(self, stream: TextIO, most: int, *, cut: bool) -> None:
        self.stream = stream
        self.left = self.most = most
        self.cut = cut

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.stream.encoding

    def isatty(self) -> bool:
        return self.stream.isatty()

    def flush(self) -> None:
        self.stream.flush()

    def write(self, text: str) -> int:
        data = text.encode(self.encoding or "utf-8", "backslashreplace")
        if len(data) > self.left:
            if not self.cut:
                raise UntrustedError(
                    f"the plan of this untrusted project is too large; the limit is {self.most:,} bytes",
                    hint="to show only the largest notifications, add --format markdown; to show one, add --only NAME",
                )
            rest = data[: max(self.left - len(CUT_NOTICE.encode()), 0)].decode(
                self.encoding or "utf-8", "ignore"
            )
            text = rest + CUT_NOTICE if self.left else ""
            self.left = 0
        else:
            self.left -= len(data)
        self.stream.write(text)
        return len(text)


def bound_output(most: int) -> None:
    """Limits standard output and standard error to `most` bytes each, until the process ends."""
    sys.stdout = BoundedStream(sys.stdout, most, cut=False)
    sys.stderr = BoundedStream(sys.stderr, most, cut=True)
