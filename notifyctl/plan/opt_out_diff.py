"""What differs between the suppression lists of two versions: entries added and removed, and whom they protect less. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.audience.suppressions import SuppressionLists, Terms
from notifyctl.model.project import Category, ChannelName, SuppressionList
from notifyctl.plan.effects import Effect, Effects, SettingChange, ranked

EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
Entries = Mapping[Any, AbstractSet[Terms]]
"""Address, or key and hash → what its entries apply to."""


class ListChange(Struct, frozen=True):
    """One list. `altered`: entries that are in both, with other terms. `count`: entries before and after; None: not used."""

    file: str
    count: tuple[int | None, int | None]
    added: int
    removed: int
    altered: int
    effects: Effects
    terms: frozenset[Terms]
    """Of all entries that differ."""

    def concerns(self, channels: Iterable[ChannelName], categories: Iterable[Category]) -> bool:
        """Whether an entry that differs applies to one of these channels and one of these categories."""
        return any(
            any(not each.channels or channel in each.channels for channel in channels)
            and any(not each.categories or category in each.categories for category in categories)
            for each in self.terms
        )

    def as_setting(self, *, shared: bool) -> SettingChange:
        counts = ((self.added, "added"), (self.removed, "removed"), (self.altered, "changed"))
        done = ", ".join(f"{count:,} {word}" for count, word in counts if count)
        before, after = (None if count is None else entries(count) for count in self.count)
        return SettingChange(
            key=f"suppressions {self.file}",
            before=before,
            after=f"{after} ({done})" if after and done else after,
            effects=self.effects,
            warns=Effect.LOOSENED in self.effects,
            shared=shared,
        )


def entries(count: int) -> str:
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


def read_lists(lists: SuppressionLists, given: Iterable[SuppressionList]) -> dict[str, dict[Any, set[Terms]]]:
    """The entries of each file, under all the terms with which it is listed."""
    found: dict[str, dict[Any, set[Terms]]] = {}
    for each in given:
        loaded, rows = lists.load(each), found.setdefault(each.file, {})
        for terms, addresses in loaded.addresses.items():
            for address in addresses:
                rows.setdefault(address, set()).add(terms)
        key = (each.key.env, each.key.file) if each.key else each.by_ledger
        for terms, hashes in loaded.hashes.items():
            for hashed in hashes:
                rows.setdefault((key, hashed), set()).add(terms)
    return found


def compare_lists(before: Mapping[str, Entries], after: Mapping[str, Entries]) -> list[ListChange]:
    """A list for each file that differs. What another list still covers is no safeguard lost."""
    files = [file for file in {**before, **after} if before.get(file) != after.get(file)]
    old, new = unite(before.values()), unite(after.values())
    return [compare_list(file, before.get(file), after.get(file), old, new) for file in files]


def merge(changes: Iterable[ListChange]) -> list[ListChange]:
    """One for each file, with the effects that it has anywhere."""
    found: dict[str, ListChange] = {}
    for each in changes:
        known = found.get(each.file)
        found[each.file] = (
            replace(each, effects=ranked((*known.effects, *each.effects))) if known is not None else each
        )
    return list(found.values())


def compare_list(
    file: str, before: Entries | None, after: Entries | None, old: Entries, new: Entries
) -> ListChange:
    one, other = before or {}, after or {}
    differ = {key for key in {**one, **other} if one.get(key) != other.get(key)}
    effects: Effects = ()
    if not all(is_covered(old.get(key, ()), new.get(key, ())) for key in differ):
        effects += (Effect.LOOSENED,)
    if not all(is_covered(new.get(key, ()), old.get(key, ())) for key in differ):
        effects += (Effect.TIGHTENED,)
    return ListChange(
        file=file,
        count=(None if before is None else len(one), None if after is None else len(other)),
        added=len(other.keys() - one.keys()),
        removed=len(one.keys() - other.keys()),
        altered=len(differ & one.keys() & other.keys()),
        effects=effects or (Effect.NONE,),
        terms=frozenset(terms for key in differ for terms in (*one.get(key, ()), *other.get(key, ()))),
    )


def unite(lists: Iterable[Entries]) -> dict[Any, set[Terms]]:
    found: dict[Any, set[Terms]] = {}
    for each in lists:
        for key, terms in each.items():
            found.setdefault(key, set()).update(replace(given, reason=None) for given in terms)
    return found


def is_covered(wanted: Iterable[Terms], given: Iterable[Terms]) -> bool:
    """Whether whatever one set of terms applies to, a single one of the other applies to as well."""
    return all(any(covers(one, other) for one in given) for other in wanted)


def covers(one: Terms, other: Terms) -> bool:
    return (
        (not one.channels or bool(other.channels and other.channels <= one.channels))
        and (not one.categories or bool(other.categories and other.categories <= one.categories))
        and (one.since or EARLIEST) <= (other.since or EARLIEST)
        and (other.until or LATEST) <= (one.until or LATEST)
    )
