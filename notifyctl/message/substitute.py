"""Substitutes `$(name)` placeholders: compiled once per message, filled for each recipient.

The template's text is treated as data and never becomes code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from notifyctl.model.message import PLACEHOLDER, UNSUBSCRIBE, Message
from notifyctl.model.project import ApiObject

Fill = Callable[[Sequence[str]], Any]


def find_placeholders(value: Any) -> set[str]:
    """Returns the name of every `$(name)` in a nested value, including `unsubscribe`."""
    if isinstance(value, str):
        return set(PLACEHOLDER.findall(value))
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return set().union(*map(find_placeholders, value))
    return set()


class Filler:
    """Fills the placeholders of a message. `values` are in the order of the message's `names`."""

    def __init__(self, message: Message) -> None:
        self._positions = {name: n for n, name in enumerate(message.names) if name != UNSUBSCRIBE}
        self._source = message.content or {}
        self._fills = CompiledTexts(self._source, self._positions)
        self._content: Fill | None = None

    def text(self, key: str, values: Sequence[str]) -> str:
        """Returns the filled string at a top-level key of the content."""
        text: str = self._fills[key](values)
        return text

    def fill(self, key: str) -> Fill:
        """Returns a function (values → string) for a top-level key of the content."""
        return self._fills[key]

    def content(self, values: Sequence[str]) -> ApiObject:
        """Returns the whole content for one recipient."""
        if self._content is None:
            self._content = compile_value(self._source, self._positions)
        content: ApiObject = self._content(values)
        return content


class CompiledTexts(dict[str, Fill]):
    """Key → compiled top-level string of the content, compiled on first use."""

    def __init__(self, source: ApiObject, positions: Mapping[str, int]) -> None:
        super().__init__()
        self._source, self._positions = source, positions

    def __missing__(self, key: str) -> Fill:
        fill = self[key] = compile_text(str(self._source[key]), self._positions)
        return fill


def compile_text(text: str, positions: Mapping[str, int]) -> Fill:
    """Returns a function from values to the filled text. Its code contains only positions and names of constants."""
    constants: dict[str, str] = {}
    code = ""
    for number, part in enumerate(PLACEHOLDER.split(text)):
        if number % 2 and part in positions:
            code += f"{{v[{positions[part]}]}}"
        elif part or number % 2:
            constants[f"c{number}"] = f"$({part})" if number % 2 else part
            code += f"{{c{number}}}"
    if "v[" not in code:
        return lambda _: text
    fill: Fill = eval(f"lambda v: f'{code}'", constants)  # noqa: S307 - no character of the text is in the code
    return fill


def compile_value(value: Any, positions: Mapping[str, int]) -> Fill:
    if isinstance(value, str):
        return compile_text(value, positions)
    if isinstance(value, Mapping):
        fields = [(key, compile_value(item, positions)) for key, item in value.items()]
        return lambda values: {key: fill(values) for key, fill in fields}
    if isinstance(value, (list, tuple)):
        items = [compile_value(item, positions) for item in value]
        return lambda values: [fill(values) for fill in items]
    return lambda _: value
