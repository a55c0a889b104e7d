"""Who was sent the same text by an earlier version, which hashed it in another way, by columns."""

from __future__ import annotations

from notifyctl.model.recipients import FINGERPRINT_BYTES
from notifyctl.plan.packed import fingerprint_of, halves
from notifyctl.plan.units import Units

__all__ = ["recognise"]

MET = "met JOIN units USING (n)"


def recognise(units: Units, test: str, standing: int) -> None:
    """Give a standing to those of the units for which the test holds whose hash in `met` is that of an earlier version. They
    hold it no longer then.
    """
    if not units.engine.row(f"SELECT EXISTS (FROM units WHERE {test})")[0]:
        return
    formers = [reading.formers for reading in units.readings]
    f1, f2 = fingerprint_of("former")
    for version in zip(*formers, strict=True):
        hashed = units.by_variant([each or "NULL::BLOB" for each in version])
        first, _ = halves("hashed")
        units.engine.run(f"""
            UPDATE units SET standing = {standing} FROM (
                SELECT n, f1, f2, {first} AS former FROM (
                    SELECT n, f1, f2, {hashed} AS hashed FROM {MET} JOIN people USING (n) WHERE {test} AND NOT odd)
            ) AS known WHERE units.n = known.n AND {f1} = f1 AND {f2} = f2""")
    long = [f"variant = {number}" for number, each in enumerate(formers) if None in each]
    _one_by_one(units, f"{test} AND ({' OR '.join(['odd', *long])})", standing)


def _one_by_one(units: Units, test: str, standing: int) -> None:
    """The same by the row-wise code."""
    import numpy as np

    for rows in units.people(test, told="[f1, f2]", source=MET):
        known = []
        for n, variant, values, (f1, f2) in rows:
            hashes = units.examiner.hashes[units.variants[variant]].formers(values)
            if f1.to_bytes(8) + f2.to_bytes(4) in {each[:FINGERPRINT_BYTES] for each in hashes}:
                known.append(n)
        if known:
            with units.engine.given("chunk", {"n": np.array(known)}):
                units.engine.run(f"UPDATE units SET standing = {standing} FROM chunk WHERE units.n = chunk.n")
