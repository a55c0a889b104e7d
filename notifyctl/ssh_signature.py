"""Signatures by SSH keys, as `ssh-keygen -Y sign` makes them. Format: OpenSSH's PROTOCOL.sshsig; names of algorithms: RFC 8332.

cryptography does the arithmetic; it is imported where it is used.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import new as new_hash
from hashlib import sha256
from typing import Any

NAMESPACE = "notifyctl-accept"
"""What these signatures are for: one made for git or for a file is not one of them."""
MAGIC = b"SSHSIG"
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
HASHES = ("sha256", "sha512")
RSA = {"rsa-sha2-256": "SHA256", "rsa-sha2-512": "SHA512"}
"""Not `ssh-rsa`, which is SHA-1."""
ECDSA = {"ecdsa-sha2-nistp256": "SHA256", "ecdsa-sha2-nistp384": "SHA384", "ecdsa-sha2-nistp521": "SHA512"}
LEAST_RSA = 2048
"""Bits of a key."""
MAX_SIGNATURE = 64 << 10


def verify_signature(armored: bytes, message: bytes) -> str:
    """The fingerprint (`SHA256:…`) of the key that signed `message`. Raises ValueError with a message for users."""
    key, signature, signed = read_signature(armored, message)
    check_signature(key, signature, signed)
    return fingerprint(key)


def fingerprint(key: bytes) -> str:
    """Of a public key in its wire format, as `ssh-keygen -l` shows it."""
    return "SHA256:" + b64encode(sha256(key).digest()).decode().rstrip("=")


def fingerprint_of_line(line: str) -> str:
    """Of a line of a `.pub` file, whose form was checked."""
    return fingerprint(b64decode(line.split()[1]))


def read_signature(armored: bytes, message: bytes) -> tuple[bytes, bytes, bytes]:
    """The public key, the signature, and the bytes that were signed."""
    reader = Reader(dearmor(armored))
    if reader.take(len(MAGIC)) != MAGIC or reader.number() != 1:
        raise ValueError("it is not an SSH signature of version 1")
    key, namespace, reserved, hash_name, signature = (reader.string() for _ in range(5))
    reader.end()
    if namespace != NAMESPACE.encode():
        raise ValueError(f"its namespace is not {NAMESPACE}; sign with `ssh-keygen -Y sign -n {NAMESPACE}`")
    name = hash_name.decode("ascii", "replace")
    if name not in HASHES:
        raise ValueError(f"its hash algorithm must be {' or '.join(HASHES)}")
    return key, signature, bytes_to_sign(message, name, reserved=reserved)


def bytes_to_sign(message: bytes, hash_name: str, *, reserved: bytes = b"") -> bytes:
    parts = (NAMESPACE.encode(), reserved, hash_name.encode(), new_hash(hash_name, message).digest())
    return MAGIC + b"".join(map(to_string, parts))


def dearmor(armored: bytes) -> bytes:
    text = armored[: MAX_SIGNATURE + 1].decode("ascii", "replace").strip()
    if len(armored) > MAX_SIGNATURE or not (text.startswith(BEGIN) and text.endswith(END)):
        raise ValueError(f'it is not an SSH signature: it does not start with "{BEGIN}"')
    try:
        return b64decode("".join(text[len(BEGIN) : -len(END)].split()), validate=True)
    except ValueError:
        raise ValueError("it is not an SSH signature: it is not valid Base64") from None


def check_signature(key: bytes, signature: bytes, signed: bytes) -> None:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    reader = Reader(signature)
    kind, value = reader.string().decode("ascii", "replace"), reader.string()
    reader.end()
    own = Reader(key).string().decode("ascii", "replace")
    try:
        public = load_ssh_public_key(own.encode() + b" " + b64encode(key))
        verify(public, kind, value, signed)
    except InvalidSignature:
        raise ValueError(
            "it does not match the statement: another text was signed, or another ledger, date or limit"
        ) from None
    except (UnsupportedAlgorithm, ValueError, TypeError) as error:
        raise ValueError(
            f"keys of type {own} with signatures of type {kind} are not supported: {error}"
        ) from None


def verify(public: Any, kind: str, value: bytes, signed: bytes) -> None:
    """Raises InvalidSignature, or ValueError where key and signature do not belong together."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    if isinstance(public, ed25519.Ed25519PublicKey) and kind == "ssh-ed25519":
        public.verify(value, signed)
    elif isinstance(public, rsa.RSAPublicKey) and kind in RSA:
        if public.key_size < LEAST_RSA:
            raise ValueError(f"the RSA key has {public.key_size} bits; the minimum is {LEAST_RSA}")
        public.verify(value, signed, padding.PKCS1v15(), getattr(hashes, RSA[kind])())
    elif isinstance(public, ec.EllipticCurvePublicKey) and kind in ECDSA:
        numbers = Reader(value)
        r, s = (int.from_bytes(numbers.string(), "big") for _ in range(2))
        numbers.end()
        if not kind.endswith(public.curve.name.replace("secp", "nistp").removesuffix("r1")):
            raise ValueError("the curve of the key is another one")
        public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(getattr(hashes, ECDSA[kind])()))
    else:
        raise ValueError("use a key of type ssh-ed25519, ecdsa-sha2-nistp256 or ssh-rsa (with rsa-sha2-512)")


def sign(private_key: bytes, message: bytes) -> bytes:
    """An armored signature of `message` by a private key as in `~/.ssh/id_ed25519`. Raises ValueError with a message for users."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_ssh_private_key,
    )

    try:
        private = load_ssh_private_key(private_key, password=None)
    except TypeError:
        raise ValueError("it has a passphrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("it is not a private SSH key") from None
    public = private.public_key()
    key = b64decode(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])
    signed = bytes_to_sign(message, "sha512")
    kind, value = make_signature(private, signed)
    signature = to_string(kind.encode()) + to_string(value)
    verify(public, kind, value, signed)
    blob = (
        MAGIC
        + (1).to_bytes(4, "big")
        + b"".join(map(to_string, (key, NAMESPACE.encode(), b"", b"sha512", signature)))
    )
    text = b64encode(blob).decode()
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return "\n".join((BEGIN, *lines, END, "")).encode()


def make_signature(private: Any, signed: bytes) -> tuple[str, bytes]:
    """The name and the bytes of a signature, by the type of the key."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ssh-ed25519", private.sign(signed)
    if isinstance(private, rsa.RSAPrivateKey):
        return "rsa-sha2-512", private.sign(signed, padding.PKCS1v15(), hashes.SHA512())
    if isinstance(private, ec.EllipticCurvePrivateKey):
        kind = f"ecdsa-sha2-{private.curve.name.replace('secp', 'nistp').removesuffix('r1')}"
        r, s = decode_dss_signature(private.sign(signed, ec.ECDSA(getattr(hashes, ECDSA[kind])())))
        return kind, to_string(to_mpint(r)) + to_string(to_mpint(s))
    raise ValueError("its type is not supported; use ssh-ed25519, ecdsa-sha2-nistp256 or ssh-rsa")


def to_string(value: bytes) -> bytes:
    """A string of SSH's wire format (RFC 4251)."""
    return len(value).to_bytes(4, "big") + value


def to_mpint(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


class Reader:
    """Reads SSH's wire format. Raises ValueError where it ends early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        piece = self._data[self._at : self._at + count]
        if len(piece) < count:
            raise ValueError("it is incomplete")
        self._at += count
        return piece

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        return self.take(self.number())

    def end(self) -> None:
        if self._at != len(self._data):
            raise ValueError("it has more bytes than a signature")
