"""Suppression lists: addresses or keyed hashes that are not sent to, by channel, category and time.

A list has one address per line, or is a CSV with an address column or `hash`, and optionally channel, category, reason, since
and until. The list's own settings apply where a row has no value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from notifyctl.audience.addresses import parse_listed
from notifyctl.audience.compression import TableError
from notifyctl.audience.csv_reader import Csv
from notifyctl.audience.readers import Cells
from notifyctl.config.scalar_types import parse_date_or_time
from notifyctl.diagnostics import Diagnostic, Location, Severity
from notifyctl.model.project import Category, ChannelName, Environment, Notification, Project, SuppressionList
from notifyctl.model.recipients import ID_BYTES, Suppression
from notifyctl.ports import Environ, FileTree

if TYPE_CHECKING:
    from notifyctl.hashing import RecipientHasher

ADDRESS_COLUMNS = ("address", "msisdn", "email", "phone", "mail")
HASH = "hash"
HASH_DIGITS = (2 * ID_BYTES, 64)
"""Hexadecimal digits of a hash: its first half, which is what is compared, or all."""
MOST_REASONS = 100
"""Reasons that a plan counts separately. Recipients with further reasons are counted together."""
ANY: frozenset[Any] = frozenset()


class SuppressionIndex(Struct, frozen=True):
    """The addresses suppressed for one notification at one time: normalised addresses and hashed ids, by reason.

    If an address is suppressed for several reasons, the first one counts.
    """

    plain: Sequence[tuple[str, AbstractSet[str]]] = ()
    hashed: Sequence[tuple[str, RecipientHasher, AbstractSet[bytes]]] = ()

    def __bool__(self) -> bool:
        return bool(self.plain or self.hashed)

    def reason(self, key: str) -> str | None:
        """Why a normalised address is suppressed."""
        for reason, addresses in self.plain:
            if key in addresses:
                return reason
        for reason, hasher, ids in self.hashed:
            if hasher([key])[0] in ids:
                return reason
        return None

    def column(self, keys: Sequence[str]) -> list[str | None]:
        """The same for many addresses; each hasher goes over them once."""
        if not self.hashed:
            return list(map(self.reason, keys)) if self.plain else [None] * len(keys)
        plain = SuppressionIndex(self.plain)
        found = list(map(plain.reason, keys))
        ids = {id(hasher): hasher(keys) for _, hasher, _ in self.hashed}
        for reason, hasher, wanted in self.hashed:
            for position, known in enumerate(ids[id(hasher)]):
                if known in wanted and found[position] is None:
                    found[position] = reason
        return found


NOBODY = SuppressionIndex()


def index_addresses(addresses: frozenset[str]) -> SuppressionIndex:
    """An index of normalised addresses that have no reason of their own."""
    return SuppressionIndex([(Suppression.OPTED_OUT.value, addresses)] if addresses else [])


class Terms(Struct, frozen=True):
    """What an entry applies to. An empty set means any. Times are aware; `until` is exclusive."""

    reason: str | None = None
    channels: frozenset[ChannelName] = ANY
    categories: frozenset[Category] = ANY
    since: datetime | None = None
    until: datetime | None = None

    def applies_to(self, channel: ChannelName, category: Category, now: datetime | None) -> bool:
        """Whether it applies at `now`, or at any time if `now` is None."""
        return (
            (not self.channels or channel in self.channels)
            and (not self.categories or category in self.categories)
            and (
                now is None
                or ((self.since is None or self.since <= now) and (self.until is None or now < self.until))
            )
        )

    @property
    def label(self) -> str:
        """The reason that a plan counts recipients by."""
        opted_out = Suppression.OPTED_OUT.value
        return f"{opted_out}: {self.reason}" if self.reason else opted_out


class SuppressionEntries(Struct):
    """The entries of one list, by terms."""

    addresses: dict[Terms, set[str]] = field(default_factory=dict)
    hashes: dict[Terms, set[bytes]] = field(default_factory=dict)
    hasher: RecipientHasher | None = None
    problems: list[Diagnostic] = field(default_factory=list)


class SuppressionLists(Struct):
    """The suppression lists of a project, each read once.

    `environ` holds the keys of hashed lists and `by_ledger` hashes with the ledger's key. Hashed rows without a key are
    checked and have no effect. `learnt`: whom receipts opted out, by channel and reason, as the ledger's ids.
    """

    files: FileTree
    environ: Environ | None = None
    by_ledger: RecipientHasher | None = None
    learnt: Mapping[tuple[ChannelName, str], AbstractSet[bytes]] = {}
    region: str | None = None
    """The country in which a number without + is read."""
    loaded: dict[SuppressionList, SuppressionEntries] = field(default_factory=dict)

    def of(
        self, lists: Sequence[SuppressionList], channel: ChannelName, category: Category, now: datetime | None
    ) -> SuppressionIndex:
        """The suppressed addresses of one notification. Raises SettingsError if a key is missing."""
        plain: dict[str, set[str]] = {}
        hashed: list[tuple[str, RecipientHasher, AbstractSet[bytes]]] = []
        for each in lists:
            found = self.load(each)
            for terms, addresses in found.addresses.items():
                if terms.applies_to(channel, category, now):
                    label = terms.label if len(plain) < MOST_REASONS else Suppression.OPTED_OUT.value
                    plain[label] = plain[label] | addresses if label in plain else addresses
            if found.hasher is not None:
                hashed += [
                    (terms.label if number < MOST_REASONS else Suppression.OPTED_OUT.value, found.hasher, ids)
                    for number, (terms, ids) in enumerate(found.hashes.items())
                    if terms.applies_to(channel, category, now)
                ]
        if self.by_ledger is not None:
            hashed += [
                (Terms(reason).label, self.by_ledger, ids)
                for (where, reason), ids in self.learnt.items()
                if where is channel
            ]
        return SuppressionIndex(list(plain.items()), hashed)

    def problems(self, lists: Sequence[SuppressionList]) -> Iterator[Diagnostic]:
        """Lists and rows that cannot be read. Each is an error, because it may suppress a recipient."""
        for each in lists:
            yield from self.load(each).problems

    def begin_between(self, past: datetime, now: datetime) -> bool:
        """Whether an entry that was read begins to count after `past` and not after `now`."""
        return any(
            terms.since is not None and past < terms.since <= now
            for entries in self.loaded.values()
            for terms in (*entries.addresses, *entries.hashes)
        )

    def load(self, given: SuppressionList) -> SuppressionEntries:
        if given not in self.loaded:
            self.loaded[given] = self._read(given)
        return self.loaded[given]

    def _read(self, given: SuppressionList) -> SuppressionEntries:
        found = SuppressionEntries()
        try:
            for line, kind, text, cells in read_entries(self.files, given.file):
                try:
                    terms = terms_of(given, cells)
                    if kind == HASH:
                        found.hashes.setdefault(terms, set()).add(parse_hash(text))
                    else:
                        key = parse_listed(text, self.region).key
                        found.addresses.setdefault(terms, set()).add(key)
                except ValueError as error:
                    place = Location(given.file, line, 1)
                    found.problems.append(Diagnostic("bad-suppression", Severity.ERROR, str(error), place))
        except (OSError, ValueError, TableError) as error:
            message = f"cannot read suppression list `{given.file}`: {error}"
            place, hint, rule = given.location, None, TableError.rule
            if isinstance(error, TableError):
                place = Location(given.file, error.line, error.column) if error.line else place
                hint, rule = error.hint, "bad-suppression" if error.in_row else error.rule
            found.problems.append(Diagnostic(rule, Severity.ERROR, message, place, hint, fixed_severity=True))
        if found.hashes:
            found.hasher = self._hasher(given)
            if given.key is None and not given.by_ledger:
                message = f"{given.file} contains hashes, but the list has no key for them"
                hint = "add `keyEnv: SUPPRESSION_KEY`, or `key: ledger`"
                found.problems.append(
                    Diagnostic("bad-suppression", Severity.ERROR, message, given.location, hint)
                )
        return found

    def _hasher(self, given: SuppressionList) -> RecipientHasher | None:
        if given.by_ledger:
            return self.by_ledger
        if given.key is None or self.environ is None:
            return None
        from notifyctl.hashing import RecipientHasher
        from notifyctl.secrets import read_secret

        secret = read_secret(given.key, self.environ, what=f"the key of the suppression list {given.file}")
        return RecipientHasher(secret.encode())


def read_entries(files: FileTree, path: str) -> Iterator[tuple[int, str, str, Cells]]:
    """Yields (line, kind of column, text, row). Empty lines and lines that start with # are skipped."""
    table = Csv(files, path)
    header = table.header
    kinds = {column: column.lower() for column in header}
    named = [column for column, kind in kinds.items() if kind in {*ADDRESS_COLUMNS, HASH}]
    if not named and header[0] and not header[0].startswith("#"):
        yield 1, "address", header[0], {}
    for line, cells in table.cells():
        if isinstance(cells, str):
            raise TableError(f"line {line}: {cells}", line=line)
        lower = {kinds[name]: cell for name, cell in cells.items()} if named else {}
        for column in named or header[:1]:
            text = cells.get(column)
            if text and not text.startswith("#"):
                yield line, kinds[column] if named else "address", text, lower


def terms_of(given: SuppressionList, row: Cells) -> Terms:
    """The terms of a row, with the list's for what it lacks. Raises ValueError."""
    own = list_terms(given)
    channel, category = row.get("channel"), row.get("category")
    if channel:
        own = replace(own, channels=frozenset([one_of(ChannelName, channel, "channel")]))
    if category:
        own = replace(own, categories=frozenset([one_of(Category, category, "category")]))
    if row.get("since"):
        own = replace(own, since=start_of(parse_date_or_time(str(row["since"]))))
    if row.get("until"):
        own = replace(own, until=end_of(parse_date_or_time(str(row["until"]))))
    return replace(own, reason=row["reason"]) if row.get("reason") else own


def list_terms(given: SuppressionList) -> Terms:
    return Terms(
        given.reason,
        frozenset(given.channels),
        frozenset(given.categories),
        start_of(given.since) if given.since else None,
        end_of(given.until) if given.until else None,
    )


def one_of(kind: type[Any], text: str, what: str) -> Any:
    try:
        return kind(text.lower())
    except ValueError:
        known = ", ".join(each.value for each in kind)
        raise ValueError(f'"{text}" is not a valid {what}; use one of: {known}') from None


def start_of(given: date) -> datetime:
    return given if isinstance(given, datetime) else datetime.combine(given, time(), tzinfo=UTC)


def end_of(given: date) -> datetime:
    """The start of the next day, or the time itself."""
    return given if isinstance(given, datetime) else start_of(given) + timedelta(days=1)


def parse_hash(text: str) -> bytes:
    if len(text) not in HASH_DIGITS:
        raise ValueError(
            f"a hash must have {HASH_DIGITS[1]} hexadecimal digits, or the first {HASH_DIGITS[0]} of them"
        )
    try:
        return bytes.fromhex(text)[:ID_BYTES]
    except ValueError:
        raise ValueError("a hash must have hexadecimal digits only") from None


def applicable_lists(
    project: Project, environment: Environment, *notifications: Notification
) -> list[SuppressionList]:
    """The lists that apply to notifications: the project's, the environment's and their own."""
    levels = [project.suppressions, environment.suppressions, *(each.suppressions for each in notifications)]
    return [given for level in levels for given in level]


def index_opt_outs(
    lists: SuppressionLists,
    project: Project,
    environment: Environment,
    notification: Notification,
    now: datetime | None,
    *,
    channel: ChannelName | None = None,
) -> SuppressionIndex:
    """The suppressed addresses of one notification, from all lists that apply to it, on its channel or on another one that it
    may reach people by. Raises SettingsError if a key is missing.
    """
    given = applicable_lists(project, environment, notification)
    return lists.of(given, channel or notification.channel, notification.template.category, now)
