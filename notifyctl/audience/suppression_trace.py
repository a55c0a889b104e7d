"""Finds the entries of suppression lists that name an address: file, line and reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from notifyctl.audience.addresses import parse_listed
from notifyctl.audience.compression import TableError
from notifyctl.audience.suppressions import HASH, SuppressionLists, parse_hash, read_entries, terms_of
from notifyctl.diagnostics import Location
from notifyctl.model.project import Category, ChannelName, SuppressionList


class Listing(Struct, frozen=True):
    """An entry that names the address. `applies`: it holds for the channel, category and time that were asked for."""

    location: Location
    reason: str
    applies: bool


def find_listings(
    lists: SuppressionLists,
    given: Sequence[SuppressionList],
    channel: ChannelName,
    category: Category,
    now: datetime,
    *,
    keys: Collection[str],
) -> Iterator[Listing]:
    """`keys`: what the address is and was known by. Lists that cannot be read are left out: a plan refuses them."""
    for each in given:
        hasher = lists.load(each).hasher
        hashes = set(hasher(sorted(keys))) if hasher is not None else set()
        try:
            for line, kind, text, cells in read_entries(lists.files, each.file):
                try:
                    if kind == HASH:
                        named = parse_hash(text) in hashes
                    else:
                        named = parse_listed(text, lists.region).key in keys
                    terms = terms_of(each, cells)
                except ValueError:
                    continue
                if named:
                    applies = terms.applies_to(channel, category, now)
                    yield Listing(Location(each.file, line, 1), terms.label, applies)
        except (OSError, ValueError, TableError):
            continue
