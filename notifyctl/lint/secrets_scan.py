"""Keys and tokens that look real, in a message or anywhere in a file. What is found is never repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator

from notifyctl.diagnostics import Diagnostic, Location, Severity
from notifyctl.ports import FileTree

SECRETS = (
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    ("a JSON Web Token", r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"),
    ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
    ("a Slack token", r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    ("a Google API key", r"\bAIza[\w-]{35}\b"),
    ("a Stripe key", r"\b[rs]k_live_[A-Za-z0-9]{20,}\b"),
)
ANY = re.compile("|".join(pattern for _, pattern in SECRETS))
MARKS = (
    "PRIVATE KEY-----", "eyJ", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "xox", "AIza", "k_live_",
)  # fmt: skip
"""One of these stands in whatever a pattern of SECRETS finds: to look for them takes a hundredth of the time."""
RAW_MARKS = tuple(mark.encode() for mark in MARKS if "_" not in mark)
LOW_MARKS = tuple(mark.encode() for mark in MARKS if "_" in mark)
"""The same in a file. Most have no underscore, so that half of the positions need not be looked for."""
RULE = "secret-in-text"
MOST_BYTES = 1024 * 1024
"""A larger YAML file is not what people write by hand."""


def find_secret(text: str) -> str | None:
    """What the first key or token in a text looks like."""
    if not looks_random(text) or ANY.search(text) is None:
        return None
    return next(what for what, pattern in SECRETS if re.search(pattern, text))


def looks_random(text: str) -> bool:
    for mark in MARKS:  # noqa: SIM110 - a loop takes half of what a generator does, for every text
        if mark in text:
            return True
    return False


def has_known_prefix(data: bytes) -> bool:
    """As `suspicious`, of a file that need not be decoded for that."""
    for mark in (*RAW_MARKS, *LOW_MARKS) if b"_" in data else RAW_MARKS:  # noqa: SIM110 - as above, for every file
        if mark in data:
            return True
    return False


def find_secrets(text: str) -> list[str]:
    """All keys and tokens in a text."""
    return [found[0] for found in ANY.finditer(text)]


def describe_secret(what: str) -> tuple[str, str]:
    return (
        f"this looks like {what}; it would be exposed in the repository and in messages",
        "remove it, and revoke it if it is real",
    )


def check_leaks(files: FileTree) -> Iterator[Diagnostic]:
    """Every YAML file, comments included, line by line."""
    for path in files.paths():
        if not path.endswith((".yaml", ".yml")):
            continue
        try:
            data = files.read(path)
        except OSError:
            continue  # told by the loader
        data = data[:MOST_BYTES]
        if not has_known_prefix(data):
            continue
        text = data.decode("utf-8", "replace")
        if ANY.search(text) is None:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            found = ANY.search(line)
            if found:
                message, hint = describe_secret(find_secret(line) or "a secret")
                place = Location(path, number, found.start() + 1)
                yield Diagnostic(
                    RULE, Severity.ERROR, message, place, hint, secrets=tuple(find_secrets(line))
                )
