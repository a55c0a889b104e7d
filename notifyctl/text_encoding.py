"""Texts that are not UTF-8: where the first such byte is, and which encoding the text most likely has.

A guess by its letters, for a sentence: nothing is ever decoded by it.
"""

from __future__ import annotations

import codecs
import re

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""How a text starts → its encoding; the longer marks first, because one begins with another."""
SAMPLE = 1 << 16
"""Bytes of lines with such characters that a guess looks at."""
WESTERN = "äöüßéèêëàâçîïôùûñáíóúãõåæøœÄÖÜÉÈÀÇÑÁÍÓÚÃÕÅÆØŒ"
CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁІЇЄҐ"
GREEK = "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏ"
LETTERS = {
    "windows-1252": WESTERN,
    "windows-1250": "ąćęłńóśźżáčďéěíňřšťúůýžäöüßőűôľĺăâîşţĄĆĘŁŃÓŚŹŻÁČĎÉĚÍŇŘŠŤÚŮÝŽÄÖÜŐŰ",
    "windows-1254": WESTERN + "ğışĞİŞ",
    "mac-roman": WESTERN,
    "cp850": WESTERN,
    "windows-1251": CYRILLIC,
    "koi8-r": CYRILLIC,
    "windows-1253": GREEK,
}
"""Encodings of one byte a character → the letters that are usual in them. Among equals the first counts."""
OWN_ALPHABETS = frozenset({"windows-1251", "koi8-r", "windows-1253"})
"""Of these, those whose words consist of such letters; in the others such letters stand alone."""
USUAL, USUAL_BONUS = "windows-1252", 1
"""What most such files are, which decides where little else does."""
BETWEEN_WORDS = frozenset("“”‘’–—…€£«»¡¿°©®·\u00a0")  # noqa: RUF001 - these very characters
APOSTROPHE = "\u2019"
HIGH = re.compile(rb"[\x80-\xff]")
UTF_8_CHARACTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


class NotUtf8Error(Exception):
    """A text is not UTF-8: a sentence, what to do about it, and where. Line and column, in characters, count from 1."""

    def __init__(self, message: str, encoding: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.encoding = encoding
        self.line, self.column = line, column

    @property
    def hint(self) -> str:
        known = self.encoding.startswith("utf-")
        return (
            "save the file as UTF-8"
            if known
            else f"save the file as UTF-8; most likely it is {self.encoding}"
        )


def decode_utf8(data: bytes) -> str:
    """A text file without its byte order mark. Raises NotUtf8Error."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise not_utf8(data, error.start) from None
    if "\0" in text and guess_encoding(data).startswith("utf-16"):
        raise not_utf8(data, 0)
    return text.removeprefix("\ufeff")


def not_utf8(data: bytes, start: int) -> NotUtf8Error:
    """What to say of a text that cannot be decoded from UTF-8 at the byte `start`."""
    encoding = guess_encoding(data)
    if encoding.startswith("utf-"):
        return NotUtf8Error(f"this file is {encoding.upper()}", encoding)
    before = re.split(r"\r\n|\r|\n", data[:start].decode("utf-8", "replace"))
    column = len(before[-1].removeprefix("\ufeff")) + 1
    return NotUtf8Error(f"the byte 0x{data[start]:02x} is not UTF-8", encoding, len(before), column)


def is_mostly_utf8(data: bytes) -> bool:
    """Whether more of its characters beyond ASCII are UTF-8 than not: the others are damage, and no other encoding."""
    rest, characters = UTF_8_CHARACTER.subn(b"", data)
    return characters > len(HIGH.findall(rest))


def guess_encoding(data: bytes) -> str:
    """The most likely encoding of a text that is not UTF-8, by a name that Python knows."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return encoding
    head = data[:SAMPLE]
    if head.count(0) * 4 > len(head):
        return "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"
    sample = b"\n".join(line for line in data[: 16 * SAMPLE].splitlines() if not line.isascii())[:SAMPLE]
    scores = {encoding: score_letters(sample, encoding) for encoding in LETTERS}
    return max(scores, key=lambda encoding: scores[encoding])


def score_letters(sample: bytes, encoding: str) -> int:
    """How well a text reads in an encoding: usual letters count for it; signs and capitals within words against it."""
    usual, own = frozenset(LETTERS[encoding]), encoding in OWN_ALPHABETS
    text = f" {sample.decode(encoding, 'replace')} "
    score = USUAL_BONUS if encoding == USUAL else 0
    for at, character in enumerate(text):
        if character.isascii():
            continue
        before, after = text[at - 1], text[at + 1]
        neighbours = [each for each in (before, after) if each.isalpha()]
        if character in usual:
            alone = all(each.isascii() for each in neighbours)
            fits = not own or not alone or not neighbours
            score += -3 if not fits else 2 if neighbours else 0
            if own and any(each.isascii() for each in neighbours):
                score -= 3
            if not own and before.isalpha() and not before.isascii():
                score -= 4
            if character.isupper() and before.islower():
                score -= 4
        elif character in BETWEEN_WORDS and (len(neighbours) < 2 or character == APOSTROPHE):  # noqa: PLR2004 - both
            score += 1 if not after.isalpha() or character not in "£€°©®" else -2
        elif not character.isalpha():
            score -= 3
    return score
