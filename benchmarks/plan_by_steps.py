"""Each step of a plan by itself, in the fastest way that is known for it here: what a plan could take at best.

    python plan_by_steps.py PROJECT

Prints the seconds of each step as JSON. The data of a step lies ready before its time begins, and what it makes goes into a
table or stays in memory. No step judges, explains or shows anything: no policy, no bad row's line, no sample, no report. The
start is that of a Python with the two libraries.
"""

import hashlib
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from notifyctl.plan.packed import halved, high, in_order, low, packed_halves
from notifyctl.plan.sieve import Sieve

from notifyctl.audience.engine import DEFAULT_MEMORY, library
from notifyctl.hashing import RecipientHasher

MEMBER = np.dtype(packed_halves())
TEXT_LENGTH = 52
RAW = """
    CREATE TABLE raw AS SELECT '+' || ltrim(phone, '+') AS key, name, area, value
    FROM read_csv('{file}', all_varchar = true, header = true, auto_detect = false, delim = ',', quote = '', buffer_size = 8000000,
                  columns = {{phone: VARCHAR, name: VARCHAR, area: VARCHAR, value: VARCHAR, mail: VARCHAR, remark: VARCHAR}})
    WHERE regexp_full_match(phone, '\\+?[1-9][0-9]{{6,14}}')"""
DOUBLED = """
    CREATE TABLE people AS SELECT rowid AS n, raw.* FROM raw LEFT JOIN (
        SELECT key, min(rowid) AS first FROM raw WHERE hash(key) IN (SELECT number FROM several) GROUP BY key
    ) AS doubled USING (key) WHERE raw.rowid <= coalesce(first, raw.rowid)"""

BATCHES_AT_ONCE = 64


def main() -> None:
    root = Path(sys.argv[1])
    took: dict[str, float] = {}

    def step(name: str, work: Callable[[], None]) -> None:
        begun = time.perf_counter()
        work()
        took[name] = time.perf_counter() - begun

    engine = library().connect(config={"memory_limit": f"{DEFAULT_MEMORY}B"})
    ledger = sqlite3.connect(f"file:{root}/.notifyctl/production.db?mode=ro", uri=True)
    [(key,)] = ledger.execute("SELECT recipient_key FROM meta")
    identity = RecipientHasher(key).sql("key")
    pieces: list[bytes] = []

    def run(sql: str) -> Callable[[], None]:
        return lambda: engine.execute(sql) and None

    def deduplicate() -> None:
        numbers = engine.execute("SELECT hash(key) AS number FROM raw").fetchnumpy()["number"]
        numbers.sort()
        engine.register("several", {"number": numbers[1:][numbers[1:] == numbers[:-1]]})
        engine.execute(DOUBLED)

    def known() -> None:
        pieces.extend(blob for (blob,) in ledger.execute("SELECT members FROM batch"))

    def met() -> None:
        highs = engine.execute(f"SELECT {high('id')} AS hi FROM ids").fetchnumpy()["hi"]
        sieve = Sieve(len(highs))
        sieve.add(highs)
        some = []
        for start in range(0, len(pieces), BATCHES_AT_ONCE):
            packed = np.frombuffer(b"".join(pieces[start : start + BATCHES_AT_ONCE]), MEMBER)
            some.append(packed[sieve.passing(packed.view("<u4").reshape(len(packed), -1))])
        facts = np.concatenate(some)
        engine.register("facts", {name: facts[name].astype("u8") for name in ("hi", "lo", "f1")})
        engine.execute(
            f"CREATE TABLE met AS SELECT n, f1 = {high('hash')} AS same FROM ids JOIN hashes USING (n) JOIN facts"
            f" ON hi = {high('id')} WHERE lo = {low('id')}"
        )

    def digest() -> None:
        columns = ", ".join(half(name) for name in ("id", "hash", "rest") for half in (high, low))
        new = engine.execute(f"SELECT {columns} FROM ids JOIN hashes USING (n) ANTI JOIN met USING (n)")
        state = hashlib.sha256()
        for piece in in_order([*new.fetchnumpy().values()]):
            state.update(piece)
        state.hexdigest()

    step(
        "start",
        lambda: (
            subprocess.run([sys.executable, "-c", f"import {library().__name__}, numpy"], check=True) and None
        ),
    )
    step("read and normalise", run(RAW.format(file=root / "people.csv")))
    step("deduplicate", deduplicate)
    step(
        "recipient ids",
        run(f"CREATE TABLE ids AS SELECT n, unhex(left({identity}, 32))::UUID AS id FROM people"),
    )
    step(
        "delivery hashes",
        run(
            f"CREATE TABLE hashes AS SELECT n, {halved('hashed')} FROM (SELECT n, unhex(sha256(concat("
            """'["', area, '","', name, '","', value, '"]'))) AS hashed FROM people)"""
        ),
    )
    step(
        "segments",
        run(
            f"CREATE TABLE segments AS SELECT n, CASE WHEN {TEXT_LENGTH} + length(name) + length(area) + length(value) <= 160"
            " THEN 1 ELSE 2 END AS segments FROM people"
        ),
    )
    step("read the ledger", known)
    step("meet the ledger", met)
    step("order and digest", digest)
    print(json.dumps(took))


main()
