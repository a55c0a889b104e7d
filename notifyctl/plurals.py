"""Counts with their noun, in the right number."""

from __future__ import annotations


def pluralise(number: int, noun: str, several: str | None = None) -> str:
    """`1 row`, `1,000 rows`. `several`: the plural where it is not the noun and an s."""
    return f"{number:,} {noun if number == 1 else several or noun + 's'}"
