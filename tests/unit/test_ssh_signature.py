"""Signatures by SSH keys: those of OpenSSH's ssh-keygen are read, ours are read by it, and nothing else counts."""

from __future__ import annotations

import subprocess
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from notifyctl.ssh_signature import (
    BEGIN,
    END,
    MAGIC,
    NAMESPACE,
    fingerprint_of_line,
    sign,
    to_string,
    verify_signature,
)
from tests.requirements import program

MESSAGE = b"notifyctl accept 1\nfingerprint: s1:00\n"


def keygen(*arguments: str | Path, given: bytes | None = None) -> None:
    subprocess.run([program("ssh-keygen"), *arguments], input=given, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("kind", "bits"),
    [("ed25519", "256"), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("rsa", "2048")],
)
def test_ssh_keygen_and_we_read_each_other(tmp_path: Path, kind: str, bits: str) -> None:
    key, message = tmp_path / "key", tmp_path / "statement"
    message.write_bytes(MESSAGE)
    keygen("-q", "-t", kind, "-b", bits, "-N", "", "-f", key)
    line = key.with_suffix(".pub").read_text()
    keygen("-Y", "sign", "-n", NAMESPACE, "-f", key, message)
    theirs = (tmp_path / "statement.sig").read_bytes()
    assert verify_signature(theirs, MESSAGE) == fingerprint_of_line(line)
    with pytest.raises(ValueError, match="does not match the statement"):
        verify_signature(theirs, MESSAGE + b" ")
    ours = sign(key.read_bytes(), MESSAGE)
    assert verify_signature(ours, MESSAGE) == fingerprint_of_line(line)
    (tmp_path / "ours").write_bytes(ours)
    (tmp_path / "allowed").write_text(f'ada@acme.example namespaces="{NAMESPACE}" {line}')
    allowed = ("-f", tmp_path / "allowed", "-I", "ada@acme.example")
    keygen("-Y", "verify", *allowed, "-n", NAMESPACE, "-s", tmp_path / "ours", given=MESSAGE)


def test_other_namespaces_and_short_keys_are_refused(tmp_path: Path) -> None:
    message = tmp_path / "statement"
    message.write_bytes(MESSAGE)
    keygen("-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key")
    keygen("-Y", "sign", "-n", "git", "-f", tmp_path / "key", message)
    with pytest.raises(ValueError, match="namespace is not notifyctl-accept"):
        verify_signature((tmp_path / "statement.sig").read_bytes(), MESSAGE)
    keygen("-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", tmp_path / "short")
    with pytest.raises(ValueError, match="1024 bits; the minimum is 2048"):
        sign((tmp_path / "short").read_bytes(), MESSAGE)
    keygen("-q", "-t", "ed25519", "-N", "a passphrase", "-f", tmp_path / "locked")
    with pytest.raises(ValueError, match="it has a passphrase"):
        sign((tmp_path / "locked").read_bytes(), MESSAGE)
    with pytest.raises(ValueError, match="it is not a private SSH key"):
        sign((tmp_path / "key.pub").read_bytes(), MESSAGE)


def armor(blob: bytes) -> bytes:
    return f"{BEGIN}\n{b64encode(blob).decode()}\n{END}\n".encode()


def test_every_changed_byte_of_a_signature_is_noticed() -> None:
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    line = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    signed = sign(pem, MESSAGE)
    blob = b64decode("".join(signed.decode().splitlines()[1:-1]))
    for at in range(len(blob)):
        changed = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]
        with pytest.raises(ValueError, match=r"."):
            verify_signature(armor(changed), MESSAGE)
    for broken in (blob[:-1], blob + b"\0", b"", MAGIC + b"\0\0\0\1" + b"\xff" * 8):
        with pytest.raises(ValueError, match=r"it is|it has more"):
            verify_signature(armor(broken), MESSAGE)
    assert verify_signature(armor(blob), MESSAGE) == fingerprint_of_line(line)


def test_a_signature_of_another_kind_than_its_key_is_refused() -> None:
    private = Ed25519PrivateKey.generate()
    key = b64decode(private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])
    for kind in (b"ssh-rsa", b"rsa-sha2-512", b"ecdsa-sha2-nistp256", b"none"):
        signature = to_string(kind) + to_string(b"\0" * 64)
        parts = (key, NAMESPACE.encode(), b"", b"sha512", signature)
        with pytest.raises(ValueError, match="not supported"):
            verify_signature(armor(MAGIC + b"\0\0\0\1" + b"".join(map(to_string, parts))), MESSAGE)
    for name in (b"md5", b"sha1", b""):
        parts = (key, NAMESPACE.encode(), b"", name, to_string(b"ssh-ed25519") + to_string(b"\0" * 64))
        with pytest.raises(ValueError, match="sha256 or sha512"):
            verify_signature(armor(MAGIC + b"\0\0\0\1" + b"".join(map(to_string, parts))), MESSAGE)


@pytest.mark.parametrize(
    "junk", [b"", b"bob", BEGIN.encode(), f"{BEGIN}\n!!!\n{END}".encode(), b"\xff" * 70_000]
)
def test_what_is_no_signature_says_so(junk: bytes) -> None:
    with pytest.raises(ValueError, match="it is not an SSH signature"):
        verify_signature(junk, MESSAGE)
