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

import duckdb
import numpy as np

from notifyctl.engine import DEFAULT_MEMORY
from notifyctl.hashing import RecipientHasher

MEMBER = np.dtype([("hi", ">u8"), ("lo", ">u8"), ("f1", ">u8"), ("f2", ">u4")])
HEAD = '{"of":"' + "0" * 64 + '","values":{"area":"'
TEXT_LENGTH = 52
RAW = """
    CREATE TABLE raw AS SELECT row_number() OVER () AS n, '+' || ltrim(phone, '+') AS key, name, area, value
    FROM read_csv('{file}', all_varchar = true, header = true, auto_detect = false, delim = ',', quote = '',
                  columns = {{phone: VARCHAR, name: VARCHAR, area: VARCHAR, value: VARCHAR, mail: VARCHAR, remark: VARCHAR}})
    WHERE regexp_full_match(phone, '\\+?[1-9][0-9]{{6,14}}')"""
PEOPLE = """
    CREATE TABLE people AS SELECT raw.* FROM raw LEFT JOIN (
        SELECT key, min(n) AS first FROM raw GROUP BY key HAVING count(*) > 1
    ) AS doubled USING (key) WHERE n <= coalesce(first, n)"""
PIECE = 8192
SIEVE_BITS = 24
BATCHES_AT_ONCE = 2000


def main() -> None:
    root = Path(sys.argv[1])
    took: dict[str, float] = {}

    def step(name: str, work: Callable[[], None]) -> None:
        begun = time.perf_counter()
        work()
        took[name] = time.perf_counter() - begun

    engine = duckdb.connect(config={"memory_limit": f"{DEFAULT_MEMORY}B"})
    ledger = sqlite3.connect(f"file:{root}/.notifyctl/production.db?mode=ro", uri=True)
    [(key,)] = ledger.execute("SELECT recipient_key FROM meta")
    identity = RecipientHasher(key).sql("key")
    pieces: list[np.ndarray] = []

    def run(sql: str) -> Callable[[], None]:
        return lambda: engine.execute(sql) and None

    def known() -> None:
        pieces.extend(np.frombuffer(blob, MEMBER) for (blob,) in ledger.execute("SELECT members FROM batch"))

    def met() -> None:
        engine.execute(
            "CREATE TABLE keys AS SELECT n, ('0x' || id[1:16])::UBIGINT AS hi, ('0x' || id[17:32])::UBIGINT AS lo FROM ids"
        )
        sieve = np.zeros(1 << SIEVE_BITS, bool)
        sieve[engine.execute("SELECT hi FROM keys").fetchnumpy()["hi"] >> (64 - SIEVE_BITS)] = True
        some = []
        for start in range(0, len(pieces), BATCHES_AT_ONCE):
            packed = np.concatenate(pieces[start : start + BATCHES_AT_ONCE])
            some.append(packed[sieve[packed["hi"].astype("u8") >> (64 - SIEVE_BITS)]])
        facts = np.concatenate(some)
        engine.register("facts", {name: facts[name].astype("u8") for name in ("hi", "lo", "f1")})
        engine.execute(
            "CREATE TABLE met AS SELECT n, f1 = ('0x' || hash[1:16])::UBIGINT AS same"
            " FROM keys JOIN facts USING (hi, lo) JOIN hashes USING (n)"
        )

    def digest() -> None:
        state = hashlib.sha256()
        cursor = engine.execute(
            "SELECT id || hash FROM ids JOIN hashes USING (n) ANTI JOIN met USING (n) ORDER BY id"
        )
        while rows := cursor.fetchmany(PIECE):
            state.update(bytes.fromhex("".join([entry for (entry,) in rows])))
        state.hexdigest()

    step("start", lambda: subprocess.run([sys.executable, "-c", "import duckdb, numpy"], check=True) and None)
    step("read and normalise", run(RAW.format(file=root / "people.csv")))
    step("deduplicate", run(PEOPLE))
    step(
        "recipient ids",
        run(f"CREATE TABLE ids AS SELECT n, {identity}[1:32] AS id FROM people"),
    )
    step(
        "delivery hashes",
        run(
            f'CREATE TABLE hashes AS SELECT n, sha256(\'{HEAD}\' || area || \'","name":"\' || name || \'","value":"\' || value'
            " || '\"}}') AS hash FROM people"
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
