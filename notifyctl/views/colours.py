"""Terminal colours that can be switched off."""

from __future__ import annotations

import re

from msgspec import Struct

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Control, line-separating and bidirectional-override characters, with which text from files could steer a terminal."""


def strip_controls(text: str) -> str:
    r"""Replaces control characters by \x… or \u… codes; newline and tab stay."""
    return CONTROL.sub(lambda m: m[0].encode("unicode_escape").decode("ascii"), text)


class Paint(Struct, frozen=True):
    """Colours text, or returns it unchanged when off."""

    on: bool

    def _wrap(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and text else text

    def bold(self, text: str) -> str:
        return self._wrap("1", text)

    def dim(self, text: str) -> str:
        return self._wrap("2", text)

    def red(self, text: str) -> str:
        return self._wrap("31", text)

    def green(self, text: str) -> str:
        return self._wrap("32", text)

    def yellow(self, text: str) -> str:
        return self._wrap("33", text)

    def blue(self, text: str) -> str:
        return self._wrap("34", text)

    def cyan(self, text: str) -> str:
        return self._wrap("36", text)
