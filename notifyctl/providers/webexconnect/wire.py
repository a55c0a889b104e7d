"""HTTP/1.1 on a connected socket, as one POST needs it: strict about where an answer ends, bounded in size and in total time.

The standard library's client asks more of the processor than all else of a small request, and its time-outs begin anew with
every byte that comes. Knows nothing of what is sent, and makes no connection.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress

from notifyctl.deadline import Deadline
from notifyctl.faults import Point, point
from notifyctl.providers.webexconnect.troubles import BrokenError, HungUpError
from notifyctl.records import dataclass, field

MAX_ANSWER = 1 << 20
"""Bytes of an answer that are read; the API's are some hundred."""
MAX_HEAD = 1 << 16
"""Bytes of the head of an answer, of the size of a chunk, and of what follows the last one."""
LONG = 15
"""Digits of a length that somebody means."""
MAX_INTERIM = 8
"""Heads of the hundreds that may come before the answer."""
AT_ONCE = 1 << 16
FIRST = 1 << 14
"""Bytes of a body that are written together with the head: all of a small one."""
PRECISE, HALF_AS_PRECISE = 1.01, 1.005
"""A wait may be longer than what is left of the time by a hundredth of that."""
BROKE_OFF = "the connection broke off before the answer"
SWITCHED = 101
WITHOUT_BODY = {204, 304}

STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: [^\n]*)?")
HEAD_END = re.compile(rb"\r?\n\r?\n")
LINE_END = re.compile(rb"\r?\n")
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\n]*)?")
KEEP_TIMEOUT = re.compile(rb"(?:^|,)\s*timeout\s*=\s*([0-9]{1,6})\s*(?:,|$)", re.IGNORECASE)
FORBIDDEN = re.compile(r"[^\x20-\x7e]")
"""What no header of ours holds: a line break would begin another one."""


class FramingError(Exception):
    """Nobody can tell where the body ends."""


class Limit(Deadline):
    """A total time, from now on."""

    @property
    def passed(self) -> str:
        return f"no complete answer within {self.seconds:g} seconds"

    def wait(self) -> float:
        """Seconds that are left. Raises TimeoutError when none are."""
        left = self.remaining
        if not left:
            raise TimeoutError(self.passed)
        return left


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is None when it broke off, was too long, or nobody could tell where it ends."""

    status: int
    body: bytes | None
    retry_after: str | None


@dataclass(frozen=True, slots=True)
class Head:
    """`minor`: of the version 1.x. `clean`: every line of it is as it should be. `headers`: names in small letters; the
    values of one that comes twice as one list.
    """

    status: int
    minor: int
    clean: bool
    headers: Mapping[bytes, bytes] = field(repr=False)

    def words(self, name: bytes) -> list[bytes]:
        """The words of a header that is a list, in small letters."""
        value = self.headers.get(name)
        return [word.strip() for word in value.lower().split(b",")] if value is not None else []

    def length(self) -> int | None:
        """None: it ends with the connection. Raises FramingError where it is no number, or are two."""
        value = self.headers.get(b"content-length")
        if value is None:
            return None
        if b"," in value:
            value, *others = set(self.words(b"content-length"))
            if others:
                raise FramingError
        if not value.isdigit() or len(value) > LONG:
            raise FramingError
        return int(value)

    def idle(self) -> float | None:
        """Seconds for which the other side keeps the connection, where it says so."""
        said = self.headers.get(b"keep-alive")
        found = KEEP_TIMEOUT.search(said) if said is not None else None
        return float(found[1]) if found else None


class Wire:
    """One request after the other; `lasts` says whether there may be another one. Whoever owns it closes it."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._coming = select.poll()
        self._coming.register(connected, select.POLLIN)
        self._patience = 0.0
        self._limit = Limit(0)
        self._rest = bytearray()
        self.lasts = False
        self.idle: float | None = None
        """Seconds for which the other side said that it keeps the connection."""

    def exchange(self, head: bytes, content: bytes, limit: Limit) -> Answer:
        """Raises BrokenError."""
        self._limit, self.lasts = limit, False
        # In one piece, and so in one packet, where it fits.
        self._write(head + content[:FIRST])
        point(Point.POST_HEAD)
        written = len(content) <= FIRST or self._written(memoryview(content)[FIRST:])
        if written:
            point(Point.POST_BODY)
        answer, ends = self._answer()
        self.lasts = written and ends and not self._rest
        return answer

    def _written(self, rest: memoryview) -> bool:
        """Write what is left. False: the server hung up. It may have answered before it has read all, which says more than that
        we could not write.
        """
        with suppress(HungUpError):
            self._write(rest)
            return True
        return False

    def silent(self) -> bool:
        """Whether it is open, as far as can be seen from here, and nothing came that nobody asked for."""
        if not self._coming.poll(0):
            return True
        try:  # what came may be of TLS and none of our business
            self._wait_at_most(0)
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def _wait_at_most(self, seconds: float) -> None:
        """For the next call of the socket, or a hundredth more. It is told anew only where it would wait longer than that, which
        asks the system.
        """
        if not seconds <= self._patience <= seconds * PRECISE:
            self._patience = seconds * HALF_AS_PRECISE
            self._socket.settimeout(self._patience)

    def close(self) -> None:
        self._socket.close()

    def _write(self, data: bytes | memoryview) -> None:
        """All of the bytes within what is left of the time."""
        rest = memoryview(data)
        try:
            while rest:
                self._wait_at_most(self._limit.wait())
                rest = rest[self._socket.send(rest) :]
        except OSError as error:
            raise told(error, self._limit) from error

    def _answer(self) -> tuple[Answer, bool]:
        """The answer, and whether it came whole and the connection outlasts it."""
        head = self._head()
        point(Point.POST_ANSWER_HEAD)
        framed = False
        try:
            body, framed = self._body(head)
        except (BrokenError, FramingError):
            body = None
        if body is not None:
            point(Point.POST_ANSWER)
        self.idle = head.idle()
        lasts = framed and head.clean and head.minor >= 1 and b"close" not in head.words(b"connection")
        retry_after = head.headers.get(b"retry-after")
        return Answer(head.status, body, retry_after.decode("latin-1") if retry_after else None), lasts

    def _head(self) -> Head:
        for _ in range(MAX_INTERIM):
            head = parsed(self._until(HEAD_END))
            if head.status >= 200 or head.status == SWITCHED:  # noqa: PLR2004 - what comes before them is no answer
                return head
        raise BrokenError(BROKE_OFF)

    def _body(self, head: Head) -> tuple[bytes | None, bool]:
        """The body, and whether its end was marked. Raises BrokenError or FramingError; the status alone then decides."""
        coding, length = head.words(b"transfer-encoding"), head.length()
        if head.status in WITHOUT_BODY:
            return b"", not coding and not length
        if coding:
            if coding != [b"chunked"]:
                raise FramingError
            return self._chunks(), length is None
        if length is None:
            return self._to_the_end(), False
        return (self._take(length), True) if length <= MAX_ANSWER else (None, False)

    def _chunks(self) -> bytes:
        body = bytearray()
        while size := self._chunk_size():
            if len(body) + size > MAX_ANSWER:
                raise FramingError
            body += self._take(size)
            if self._until(LINE_END):
                raise FramingError
        trailers = 0
        while line := self._until(LINE_END):
            trailers += len(line)
            if trailers > MAX_HEAD:
                raise FramingError
        return bytes(body)

    def _chunk_size(self) -> int:
        found = CHUNK_SIZE.fullmatch(self._until(LINE_END))
        if found is None:
            raise FramingError
        return int(found[1], 16)

    def _until(self, end: re.Pattern[bytes]) -> bytes:
        """What comes before `end`, which is taken too. Raises BrokenError where it does not come within reason."""
        seen = 0
        while (found := end.search(self._rest, max(seen - 3, 0))) is None:
            seen = len(self._rest)
            if seen > MAX_HEAD or not self._more():
                raise BrokenError(BROKE_OFF)
        taken = bytes(self._rest[: found.start()])
        del self._rest[: found.end()]
        return taken

    def _take(self, count: int) -> bytes:
        while len(self._rest) < count:
            if not self._more():
                raise BrokenError(BROKE_OFF)
        taken = bytes(self._rest[:count])
        del self._rest[:count]
        return taken

    def _to_the_end(self) -> bytes | None:
        while len(self._rest) <= MAX_ANSWER:
            if not self._more():
                return bytes(self._rest)
        return None

    def _more(self) -> bool:
        """Read on; False at the end of all."""
        try:
            self._wait_at_most(self._limit.wait())
            piece = self._socket.recv(AT_ONCE)
        except OSError as error:
            raise told(error, self._limit) from error
        self._rest += piece
        return bool(piece)


def parsed(text: bytes) -> Head:
    """Raises BrokenError for what is no HTTP. A line that is no header says nothing; but then nothing may follow the answer."""
    top, *lines = text.split(b"\n")
    found = STATUS_LINE.fullmatch(top.rstrip(b"\r"))
    if found is None:
        raise BrokenError(BROKE_OFF)
    clean = text.count(b"\r\n") == len(lines)
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip():
            clean = False
            continue
        name, value = name.lower(), value.strip()
        headers[name] = b"%s,%s" % (headers[name], value) if name in headers else value
    return Head(int(found[2]), int(found[1]), clean, headers)


def written(target: str, host: str, headers: Mapping[str, str]) -> bytes:
    """The head of a POST but for the length of its body. Raises ValueError for what would be no header."""
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: {host}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if FORBIDDEN.search("".join(lines)):
        raise ValueError("a header of a request holds a character that no header can carry")
    return "".join([f"{line}\r\n" for line in lines]).encode("ascii")


def told(error: OSError, limit: Limit) -> BrokenError:
    """An error of a socket as ours, where it happens: an error of anything else is a defect, and is not taken for one."""
    if isinstance(error, TimeoutError):
        return BrokenError(limit.passed)
    if isinstance(error, BrokenPipeError | ConnectionResetError):
        return HungUpError(BROKE_OFF)
    return BrokenError(BROKE_OFF)
