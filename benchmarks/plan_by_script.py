"""What a plan finds out, as a tuned script of the standard library: the peer of `plan.py`. Prints the counts as JSON.

    python plan_by_script.py PROJECT '{"texts": {LOCALE: TEXT}, "kind": "text" | "unicode"}'

It reads the ledger's packed rows and knows what stands where: the audience of one SMS, all cells filled, no time zones, no
policy, no spaces around cells. Everything is a local, sets instead of queries, one pass over the rows, hash states that are
copied. `plan.py` compares what it prints with what the plan says.
"""

import csv
import hashlib
import json
import re
import sqlite3
import struct
import sys
from json.encoder import encode_basestring
from pathlib import Path

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"
NAME = re.compile(r"\$\(\w+\)")


def main() -> None:  # noqa: C901, PLR0915 - one pass over locals is what makes it fast
    root, shape = Path(sys.argv[1]), json.loads(sys.argv[2])
    ledger = sqlite3.connect(f"file:{root}/.notifyctl/production.db?mode=ro", uri=True)
    [(key,)] = ledger.execute("SELECT recipient_key FROM meta")
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block)).copy
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block)).copy
    hashed = hashlib.sha256
    is_number = re.compile(r"\+?[1-9][0-9]{6,14}").fullmatch
    is_basic = re.compile(f"[{re.escape(BASIC)}]*").fullmatch
    is_gsm7 = re.compile(f"[{re.escape(BASIC + EXTENSION)}]*").fullmatch
    variants = {
        locale: (
            hash_of_message(text, shape["kind"]),
            len(NAME.sub("", text)),
            bool(is_basic(text)) and shape["kind"] != "unicode",
            NAME.sub("{}", text),
        )
        for locale, text in shape["texts"].items()
    }
    seen: set[int] = set()
    see = seen.add
    people: dict[bytes, bytes] = {}
    bad: list[int] = []
    doubled: list[int] = []
    with (root / "people.csv").open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        for phone, name, area, value, _, locale in rows:
            if not is_number(phone):
                bad.append(rows.line_num)
                continue
            number = int(phone)
            if number in seen:
                doubled.append(rows.line_num)
                continue
            see(number)
            inside, outside = inner(), outer()
            inside.update((phone if phone[0] == "+" else "+" + phone).encode())
            outside.update(inside.digest())
            values = hashed(
                f"[{encode_basestring(area)},{encode_basestring(name)},{encode_basestring(value)}]".encode()
            ).digest()
            message, fixed, basic, text = variants[locale]
            length = fixed + len(name) + len(area) + len(value)
            filled = name + area + value
            if basic and is_basic(filled):
                segments = 1 if length <= 160 else -(-length // 153)
            elif basic and is_gsm7(filled):
                segments = by_septets(text.format(name, area, value))
            else:
                units = len(text.format(name, area, value).encode("utf-16-le")) // 2
                segments = 1 if units <= 70 else -(-units // 67)
            people[outside.digest()[:16]] = (message ^ int.from_bytes(values)).to_bytes(
                32
            ) + segments.to_bytes()

    accepted = 0
    changed: list[bytes] = []
    members = struct.Struct("16s12s").iter_unpack
    for (packed,) in ledger.execute(
        "SELECT members FROM batch JOIN outcome ON outcome.batch = batch.number WHERE kind = 'accepted'"
    ):
        for recipient, fingerprint in members(packed):
            if recipient in people:
                accepted += 1
                text = people.pop(recipient)
                if text[:12] != fingerprint:
                    changed.append(text[:32])
    digest = hashlib.sha256()
    for recipient in sorted(people):
        digest.update(recipient + people[recipient][:32])
    digest.hexdigest()
    counts = {
        "send-new": len(people),
        "unchanged": accepted - len(changed),
        "changed-after-send": len(changed),
        "suppressed": len(doubled),
        "rejected": len(bad),
        "segments": sum([text[32] for text in people.values()]),
        "texts": len({*changed, *(text[:32] for text in people.values())}),
    }
    print(json.dumps(counts))


def hash_of_message(text: str, kind: str) -> int:
    """What is added, bit by bit, to the hash of the values."""
    shared = {
        "bcc": [],
        "cc": [],
        "channel": "sms",
        "content": {"type": kind, "text": text},
        "from": "CNNECT",
        "names": ["area", "name", "value"],
        "options": {},
        "smartlinks": [],
        "template": None,
    }
    whole = json.dumps(shared, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return int.from_bytes(hashlib.sha256(whole).digest())


def by_septets(text: str) -> int:
    """Segments of a text in GSM-7; a character of the extension takes two septets, which are not divided."""
    sizes = [1 + (character in EXTENSION) for character in text]
    if sum(sizes) <= 160:
        return 1
    segments, room = 1, 153
    for size in sizes:
        if size > room:
            segments, room = segments + 1, 153
        room -= size
    return segments


main()
