"""The encoding of a text that is not UTF-8 is told by its letters, and the first such byte by its place."""

# ruff: noqa: RUF001 - letters of many alphabets are what this is about

from __future__ import annotations

import pytest

from notifyctl.text_encoding import NotUtf8Error, decode_utf8, guess_encoding, is_mostly_utf8

TEXTS = {
    "windows-1252": [
        "name,city\nZoë,Köln\nAndré,Málaga",
        "Café £5",
        "Don’t – “stop” now",
        "FRANÇOIS\nMÜLLER",
        "é",
    ],
    "mac-roman": ["Zoë,Köln\nAndré,Málaga", "Café", "Müller\nStraße"],
    "cp850": ["Zoë,Köln\nAndré,Málaga", "Müller, Straße", "Café"],
    "windows-1250": ["Łukasz Wałęsa, Łódź\nŻaneta Kąkol", "Dvořák Jiří, Plzeň, Žďár nad Sázavou"],
    "windows-1254": ["Ayşe Yılmaz, Iğdır\nÇağlar Öztürk"],
    "windows-1251": ["Привет, Анна\nМосква", "Иван Петров"],
    "koi8-r": ["Привет, Анна\nМосква"],
    "windows-1253": ["Γιώργος Παπαδόπουλος, Αθήνα"],
    "utf-16": ["name,Zoë"],
    "utf-16-le": ["name,Zoë"],
    "utf-16-be": ["name,Zoë"],
    "utf-32": ["name,Zoë"],
}


@pytest.mark.parametrize(("encoding", "text"), [(each, text) for each in TEXTS for text in TEXTS[each]])
def test_the_likely_encoding(encoding: str, text: str) -> None:
    assert guess_encoding(text.encode(encoding)) == encoding


@pytest.mark.parametrize(
    ("data", "line", "column", "message"),
    [
        (b"<p>Hello</p>\n<p>Caf\xe9</p>", 2, 7, "the byte 0xe9 is not UTF-8"),
        ("Zoë\r\n".encode() + b"Zo\xeb", 2, 3, "the byte 0xeb is not UTF-8"),
        (b"\xef\xbb\xbf\xff", 1, 1, "the byte 0xff is not UTF-8"),
        ("<p>x</p>".encode("utf-16"), 1, 1, "this file is UTF-16"),
        ("<p>x</p>".encode("utf-16-be"), 1, 1, "this file is UTF-16-BE"),
    ],
)
def test_where_a_text_stops_to_be_utf_8(data: bytes, line: int, column: int, message: str) -> None:
    with pytest.raises(NotUtf8Error) as told:
        decode_utf8(data)
    assert (str(told.value), told.value.line, told.value.column) == (message, line, column)
    assert told.value.hint.startswith("save the file as UTF-8")


def test_what_is_utf_8() -> None:
    assert decode_utf8("\ufeffZoë".encode()) == "Zoë"
    assert is_mostly_utf8("Zoë Brontë".encode() + b"\xff")
    assert not is_mostly_utf8("Zoë Brontë".encode("latin-1"))
