"""The rules over a message as one recipient gets it, filled in: the same functions that look at what is written out.

A message is cut down to the texts that values can spoil; the words themselves are measured by columns. Values that cannot spoil
anything there, nearly all of most lists, cost a look at their column.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from notifyctl.channels import CHANNELS
from notifyctl.channels.limits import LIMITS, MAX_FALLBACK_TEXT
from notifyctl.diagnostics import Path, Problem, Severity
from notifyctl.lint.link_placeholders import LinkNames
from notifyctl.message import Filler
from notifyctl.message.render_limits import OutOfTimeError, run_bounded
from notifyctl.model.message import PLACEHOLDER, UNSUBSCRIBE, Message
from notifyctl.model.project import ApiObject, ChannelName
from notifyctl.recipients.evaluate import find_above
from notifyctl.recipients.texts import TextMeter, fallback_meter
from notifyctl.recipients.values import Column, ValueTable
from notifyctl.rulebook import email, rcs

Found = Iterator[tuple[int, Problem]]
"""Positions of recipients, each with a problem."""
Values = tuple[str, ...]

HTML: Path = ("content", "html")
BODIES: tuple[Path, ...] = (("content", "text"), ("options", "text"))
"""Words that are measured by columns and read whole by nobody here."""
WORDS = "x"
"""Stands for such words, and for a text without placeholders that is too long to be checked again and again."""
ONE_LINE = frozenset({"subject", "fromName", "name"})
"""Keys of texts that any value fits that is one line of visible characters."""
MARKUP = re.compile('[<&"]')
TAG_END = re.compile(r"[\s<>&\"'`=]")
"""What can end an attribute or begin a tag; other values change no tag, but for the beginning of a link."""
IN_QUERY = re.compile(r"[\s\"<>&+#]|%(?![0-9A-Fa-f]{2})")
IN_PATH = re.compile(r"[\s\"<>?#]|%(?![0-9A-Fa-f]{2})")
KNOWN = 10_000
"""Results that are kept, by values."""
MAX_SEGMENTS = "max-segments"
"""The plan's own reason: a policy of the project, and no rule of lint."""


class SubstitutedMessages:
    """Checks one composed message for columns of values. Whoever lacks a value is left to the rule about that."""

    def __init__(self, message: Message, *, profile: str, max_segments: int | None = None) -> None:
        """`max_segments`: of an SMS that stands in for RCS; lint knows no policy."""
        self._channel = CHANNELS[message.channel]
        self._profile = profile
        self._max_segments = max_segments
        self._places = {name: at for at, name in enumerate(message.names) if name != UNSUBSCRIBE}
        self._links = LinkNames(set(), set(), set())
        self._markup: frozenset[str] = frozenset()
        self._in_tags: frozenset[str] = frozenset()
        self._careful: set[str] = set()
        """Names whose values are looked at one by one."""
        self._one_line: set[str] = set()
        """Names that need a look only where a value is blank or no single line."""
        self._html_only = True
        self._skeleton: dict[str, Any] = {"content": {}, "options": {}}
        content = message.content or {}
        if self._places and message.content is not None:
            parts = {"content": content, "options": message.options}
            self._skeleton = {key: self._cut(value, (key,)) for key, value in parts.items()}
        self._names = sorted({*self._careful, *self._one_line, *self._markup} & self._places.keys())
        self._filler = Filler(replace(message, content=self._skeleton, names=tuple(self._names)))
        self._known: dict[Values, tuple[Problem, ...]] = {}
        self._as_written: Counter[tuple[str, Path]] = Counter()
        if self._names:
            self._as_written = Counter(map(kind_of, self._problems(self._skeleton)))
        self._fallback = fallback_meter(message)
        html = content.get("html")
        self._html = html if message.channel is ChannelName.EMAIL and isinstance(html, str) else None

    def _cut(self, value: Any, path: Path) -> Any:
        """The value with only those texts that values can spoil."""
        if isinstance(value, Mapping):
            return {key: self._cut(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._cut(item, (*path, number)) for number, item in enumerate(value)]
        return self._cut_text(value, path) if isinstance(value, str) else value

    def _cut_text(self, text: str, path: Path) -> str:
        names = set(PLACEHOLDER.findall(text)) & self._places.keys()
        if path == HTML:
            return self._cut_html(text)
        if not names:
            return WORDS if path in BODIES else text
        self._links.add_from(text)
        if path in BODIES and PLACEHOLDER.sub("", text).strip():
            return WORDS
        self._html_only = False
        if path[-1] in ONE_LINE or path in BODIES:
            self._one_line |= names
        else:
            self._careful |= names
        return text

    def _cut_html(self, html: str) -> str:
        from notifyctl.lint.html_placeholders import find_places

        try:
            with run_bounded():
                places = find_places(html, self._links)
        except (OutOfTimeError, MemoryError):
            return WORDS  # reported for itself
        self._markup = places.names & self._places.keys()
        self._in_tags = places.in_tags
        self._careful |= self._links.start & self._markup
        return places.tags or WORDS

    def find(self, values: ValueTable) -> Found:
        """Problems of single recipients, in the order of their positions; each rule once for each of them."""
        told: set[tuple[int, str]] = set()
        if not self._places and self._fallback is None:
            return
        for position, problem in sorted(self._find(values), key=lambda found: found[0]):
            if (position, problem.rule) not in told:
                told.add((position, problem.rule))
                yield position, problem

    def _find(self, values: ValueTable) -> Found:
        for position in sorted(self._suspects(values)):
            given = tuple(values.columns[self._places[name]][position] for name in self._names)
            if None not in given:
                for problem in self._check(given):  # type: ignore[arg-type]  # no None is in it
                    yield position, problem
        yield from self._find_markup(values)
        yield from self._find_unencoded(values)
        yield from self._find_long_html(values)
        if self._fallback is not None:
            yield from self._find_long_fallback(self._fallback, values)

    def _suspects(self, values: ValueTable) -> set[int]:
        if any(name in self._places for name in self._careful):
            return set(range(values.count))
        found: set[int] = set()
        for name in self._one_line & self._places.keys():
            column = values.columns[self._places[name]]
            found.update(
                at for at, value in enumerate(column) if value is not None and not is_plain_line(value)
            )
        for name in self._markup:
            pattern = TAG_END if name in self._in_tags else MARKUP
            found.update(find_matching(values.columns[self._places[name]], pattern))
        return found

    def _check(self, values: Values) -> tuple[Problem, ...]:
        """What is wrong with these values and not with the message as it is written."""
        if values not in self._known:
            if len(self._known) >= KNOWN:
                self._known.clear()
            # A value is never a placeholder: nothing fills it in again.
            filled = self._filler.content([value.replace("$(", "$ (") for value in values])
            counts = Counter(self._as_written)
            new: list[Problem] = []
            for problem in self._problems(filled):
                counts[kind_of(problem)] -= 1
                if counts[kind_of(problem)] < 0:
                    new.append(problem)
            self._known[values] = tuple(new)
        return self._known[values]

    def _problems(self, parts: ApiObject) -> list[Problem]:
        content, options = parts["content"], parts["options"]
        found: list[Problem] = []
        if not self._html_only:
            found += self._channel.check(content, options, profile=self._profile)
            found += self._channel.advise(content, options, profile=self._profile)
        if "html" in content:
            from notifyctl.lint.markup import check_markup

            found += check_markup(HTML, content["html"])
        return found

    def _find_markup(self, values: ValueTable) -> Found:
        for name in sorted(self._markup):
            for position in find_matching(values.columns[self._places[name]], MARKUP):
                message = f'value of $({name}) contains <, & or ", and is put into the HTML unchanged'
                hint = "escape it in the list: &lt; &amp; &quot;"
                yield position, email.VALUE_MARKUP.broken(HTML, message, hint)

    def _find_unencoded(self, values: ValueTable) -> Found:
        for names, pattern in ((self._links.query, IN_QUERY), (self._links.path, IN_PATH)):
            for name in sorted(names & self._places.keys()):
                for position in find_matching(values.columns[self._places[name]], pattern):
                    message = f"value of $({name}) is part of a link and has a character that ends or changes the link"
                    hint = "encode it in the list: %20 for a space, %2B for +, %26 for &"
                    yield position, email.VALUE_IN_LINK.broken(("content",), message, hint)

    def _find_long_html(self, values: ValueTable) -> Found:
        """By bytes of UTF-8. A character has at most four, so that most lists need no closer look."""
        if self._html is None:
            return
        limit = LIMITS[ChannelName.EMAIL]["html"]
        most = limit.by_profile[self._profile]
        uses = Counter(name for name in PLACEHOLDER.findall(self._html) if name in self._places)
        fixed = len(self._html.encode())
        if (
            fixed
            + sum(
                4 * max(values.lengths[self._places[name]], default=0) * times for name, times in uses.items()
            )
            <= most
        ):
            return
        for position in range(values.count):
            size = fixed + sum(
                (len((values.columns[self._places[name]][position] or "").encode()) - len(f"$({name})"))
                * times
                for name, times in uses.items()
            )
            if size > most:
                message = f"`html` has {size:,} bytes; the limit is {most:,} (profile {self._profile})"
                yield position, limit.rule.broken(HTML, message, "shorten it")

    def _find_long_fallback(self, meter: TextMeter, values: ValueTable) -> Found:
        path = ("options", "text")
        lengths = meter.lengths(values)
        # What is too long as it is written is told there.
        for position in find_above(lengths, MAX_FALLBACK_TEXT) if meter.uses else ():
            message = f"fallback SMS has {lengths[position]:,} characters; the limit is {MAX_FALLBACK_TEXT:,}"
            yield position, rcs.FALLBACK_LENGTH.broken(path, message, "shorten it")
        for position in [at for at, length in enumerate(lengths) if not length] if meter.uses else ():
            yield position, rcs.FALLBACK.broken(path, "fallback SMS has no text")
        if self._max_segments is not None:
            counted = meter.count_segments(values, lengths)
            for position in find_above(counted.segments, self._max_segments):
                yield position, Problem(path, MAX_SEGMENTS, f"{counted.segments[position]} segments")


def find_blocked(
    filled: SubstitutedMessages, severities: Mapping[str, str], values: ValueTable
) -> Iterator[tuple[int, str]]:
    """Who is not sent to, and the rule: whatever is an error by the project's `severities`."""
    for position, problem in filled.find(values):
        if severities.get(problem.rule, problem.severity) == Severity.ERROR:
            yield position, problem.rule


def kind_of(problem: Problem) -> tuple[str, Path]:
    return problem.rule, problem.path


def is_plain_line(value: str) -> bool:
    return value.isprintable() and bool(value.strip())


def find_matching(column: Column, pattern: re.Pattern[str]) -> Iterator[int]:
    """Where a value has a match. All are looked at together first."""
    if pattern.search("-".join([value for value in column if value])) is not None:
        yield from (at for at, value in enumerate(column) if value and pattern.search(value))
