from __future__ import annotations

import gzip
import zlib
from socket import EAI_AGAIN, EAI_NONAME, gaierror

import pytest

from notifyctl.transport.client import MAX_ANSWER, decode_body
from notifyctl.transport.connections import classify_lookup
from notifyctl.transport.keep_alive import ends_plainly, idle_limit

PLAIN = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize("coding", ["gzip", "X-Gzip", " deflate ", "identity", "", "br"])
def test_a_body_that_is_only_labelled_as_compressed(coding: str) -> None:
    assert decode_body(b'{"a": 1}', coding, MAX_ANSWER) == b'{"a": 1}'


def test_a_body_that_is_compressed_although_nobody_asked() -> None:
    assert decode_body(gzip.compress(b"{}"), "gzip", MAX_ANSWER) == b"{}"
    assert decode_body(zlib.compress(b"{}"), "deflate", MAX_ANSWER) == b"{}"
    assert decode_body(gzip.compress(b"{}")[:-4], "gzip", MAX_ANSWER) is None
    assert decode_body(gzip.compress(b" " * (MAX_ANSWER + 1)), "gzip", MAX_ANSWER) is None
    assert decode_body(gzip.compress(b" " * (1 << 27)), "gzip", MAX_ANSWER) is None


@pytest.mark.parametrize("cut", [*range(1, len(PLAIN))])
def test_part_of_an_answer_has_no_plain_end(cut: int) -> None:
    assert ends_plainly(PLAIN)
    assert not ends_plainly(PLAIN[:cut])


@pytest.mark.parametrize("behind", [b"\r\n", b"H", PLAIN, b"{}", b"\x00"])
def test_what_comes_behind_an_answer_is_no_plain_end(behind: bytes) -> None:
    assert not ends_plainly(PLAIN + behind)


def test_a_server_says_how_long_it_keeps_a_connection() -> None:
    assert idle_limit(PLAIN, {}) == 1.0
    assert idle_limit(PLAIN, {"keep-alive": "timeout=1, max=5"}) == 0.5
    assert idle_limit(PLAIN, {"keep-alive": "timeout=60"}) == 1.0
    assert idle_limit(PLAIN[:-1], {}) == 0.0


def test_a_name_server_that_cannot_tell_may_be_asked_again() -> None:
    assert classify_lookup(gaierror(EAI_NONAME, "Name or service not known")).lasting
    assert not classify_lookup(gaierror(EAI_AGAIN, "Temporary failure in name resolution")).lasting
