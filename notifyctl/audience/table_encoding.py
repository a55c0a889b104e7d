"""The encoding of a text file with people: by its mark, else UTF-8; and what to say of a file that is neither."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import BinaryIO

from notifyctl.audience.compression import TableError
from notifyctl.audience.readers import MAX_LINE
from notifyctl.text_encoding import BYTE_ORDER_MARKS, SAMPLE, guess_encoding, is_mostly_utf8

UTF_8 = "utf-8-sig"
LONGEST_MARK = max(map(len, BYTE_ORDER_MARKS))
NOT_DECODED = "has bytes that are not in the file's encoding"
NUL = "contains a NUL character"
NOT_DECODED_CHARACTER = re.compile("[\ud800-\udfff]")
HALF = "contains half a character"
ESCAPED_BYTES = range(0xDC80, 0xDD00)
"""What undecodable bytes are in a decoded text."""


class OtherEncodingError(TableError):
    """A file has another encoding than UTF-8, most likely `encoding`."""

    def __init__(self, message: str, encoding: str, line: int) -> None:
        super().__init__(message, line=line, hint="save the file as UTF-8")
        self.encoding = encoding


def detect_encoding(open_file: Callable[[], BinaryIO]) -> str:
    """The encoding of a byte order mark, else UTF-8."""
    with open_file() as binary:
        head = binary.read(LONGEST_MARK)
    return next((name for mark, name in BYTE_ORDER_MARKS.items() if head.startswith(mark)), UTF_8)


def is_utf8_name(encoding: str) -> bool:
    return encoding.lower().replace("_", "-") in {UTF_8, "utf-8", "utf8"}


def is_odd(text: str) -> bool:
    """Whether a text contains a NUL, or what could not be decoded."""
    return "\0" in text or (not text.isascii() and NOT_DECODED_CHARACTER.search(text) is not None)


def odd_text(text: str) -> str:
    """What is wrong with a text that has an odd character: the end of a sentence."""
    if "\0" in text:
        return NUL
    return NOT_DECODED if any(ord(each) in ESCAPED_BYTES for each in text) else HALF


def refuse_other_encoding(open_file: Callable[[], BinaryIO], line: int, text: str) -> None:
    """Raises OtherEncodingError if a file with an odd text on a line is not UTF-8. Otherwise a few rows of it are damaged."""
    sample, damaged = sample_of(open_file)
    if not damaged or is_mostly_utf8(sample):
        return
    encoding = guess_encoding(sample)
    byte = next((f": the byte 0x{ord(each) - 0xDC00:02x}" for each in text if ord(each) in ESCAPED_BYTES), "")
    raise OtherEncodingError(
        f"it is not UTF-8, but most likely {encoding}{byte} in line {line}", encoding, line
    )


def sample_of(open_file: Callable[[], BinaryIO]) -> tuple[bytes, bool]:
    """Lines with characters beyond ASCII, and whether the file has a line that is not UTF-8. Reads on until it has one."""
    kept, damaged = bytearray(), False
    with open_file() as binary:
        head = binary.read(SAMPLE)
    if guess_encoding(head).startswith("utf-"):
        return head, True
    with open_file() as binary:
        while piece := binary.readline(MAX_LINE):
            if piece.isascii():
                continue
            sound = is_utf8(piece)
            damaged = damaged or not sound
            if not sound or len(kept) < SAMPLE:
                kept += piece
            if damaged and len(kept) > SAMPLE:
                break
    return bytes(kept), damaged


def is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
