"""Receipts as a use case: whom does one mean, and put it into the ledger. What cannot be placed is kept as well."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct, field

from notifyctl.app.ledgers import ledger_name, ledger_store
from notifyctl.app.settling import open_positions
from notifyctl.app.workspace import Workspace
from notifyctl.apply.correlation import parse_correlation_id, verify
from notifyctl.audience.addresses import email, msisdn
from notifyctl.errors import SettingsError, UsageError
from notifyctl.model.events import Receipt
from notifyctl.model.ledger import BatchRecord
from notifyctl.model.project import Environment
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES
from notifyctl.ports import Clock, LedgerReader, ReceiptInbox
from notifyctl.providers.webexconnect.receipts import Incoming, receipts_in

CALLBACK = "notifyctl"
AT_ONCE = 500
"""Receipts of a file that are recorded in one commit."""
SHORTEST_SECRET = 16
ROW_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)


class Placed(Struct, frozen=True):
    """The person that a receipt means; None where nobody of this ledger is."""

    batch: int | None
    position: int | None


NOBODY = Placed(None, None)


class Matcher(Struct, frozen=True):
    """Finds people by what a receipt names. `ledger` is project/environment."""

    reader: LedgerReader
    ledger: str

    def place(self, receipt: Incoming) -> Placed:
        """By our correlation id, else by our callback data with the destination, else by the provider's own id with it, else
        by the destination, where just one person is uncertain.
        """
        person = self.person(receipt.destination)
        for batch, index in self.candidates(receipt):
            position = index if person is None else position_of(batch, person, index or 0)
            if position is not None:
                return Placed(batch.number, position)
        return self.uncertain(person) if person is not None and receipt.correlation_id else NOBODY

    def candidates(self, receipt: Incoming) -> Iterator[tuple[BatchRecord, int | None]]:
        """Batches that the receipt may speak of, with the position if it names one, the surest first."""
        parsed = parse_correlation_id(receipt.correlation_id or "")
        if parsed is not None:
            number, index, _ = parsed
            text = receipt.correlation_id or ""
            batch = self.reader.find(number)
            if batch is not None and any(verify(text, seal) for seal in self.reader.seals(number)):
                yield batch, index
                return
        for number in (*self.named(receipt.callback_data), *self.known(receipt.transaction)):
            batch = self.reader.find(number)
            if batch is not None:
                yield batch, None

    def named(self, callback: str | None) -> Iterator[int]:
        parts = (callback or "").rsplit(":", 2)
        ours = len(parts) == len(("ledger", "batch", "attempt")) and parts[0] == f"{CALLBACK}:{self.ledger}"
        if ours and ROW_NUMBER.fullmatch(parts[1]):
            yield int(parts[1])

    def known(self, transaction: str | None) -> Iterator[int]:
        """The id of the answer, or that with the number of a destination behind it: X, X_1, X_2."""
        for candidate in dict.fromkeys([transaction or "", (transaction or "").rpartition("_")[0]]):
            number = self.reader.by_provider_id(candidate) if candidate else None
            if number is not None:
                yield number

    def person(self, destination: str | None) -> bytes | None:
        if destination is None:
            return None
        try:
            key = (email(destination) if "@" in destination else msisdn(destination)).key
        except ValueError:
            return None
        return self.reader.recipient_ids([key])[0]

    def uncertain(self, person: bytes) -> Placed:
        found = [
            Placed(batch.number, position)
            for scope in self.reader.scopes()
            for batch in self.reader.facts(scope)
            for position in open_positions(batch, {person})
        ]
        return found[0] if len(found) == 1 else NOBODY


def position_of(batch: BatchRecord, person: bytes, first: int) -> int | None:
    """Where a person stands in a batch, from `first` on or else anywhere."""
    ids = [batch.members[at : at + ID_BYTES] for at in range(0, len(batch.members), MEMBER_BYTES)]
    if person in ids[first:]:
        return ids.index(person, first)
    return ids.index(person) if person in ids else None


class Counts(Struct):
    """What became of many receipts."""

    became: Counter[str] = field(default_factory=Counter)
    unreadable: list[tuple[int, str]] = field(default_factory=list)


class Recorder(Struct, frozen=True):
    """Puts receipts into a ledger. Keyed digests tell repeats, so that no plain hash of an address stands anywhere."""

    inbox: ReceiptInbox
    matcher: Matcher
    clock: Clock

    def receipt(self, incoming: Incoming) -> Receipt:
        placed = self.matcher.place(incoming)
        return Receipt(
            digest=self.inbox.recipient_ids(["receipt\0" + incoming.canonical])[0],
            at=self.clock.now(),
            status=incoming.status,
            batch=placed.batch,
            position=placed.position,
            code=(incoming.code or "")[:40] or None,
            provider_id=(incoming.transaction or "")[:80] or None,
            said_at=(incoming.said_at or "")[:40] or None,
        )

    def record(self, incoming: Incoming) -> str:
        made = self.receipt(incoming)
        new = self.inbox.add([made])
        return became(made, new=bool(new))


def became(receipt: Receipt, *, new: bool) -> str:
    if not new:
        return "known already"
    return "recorded" if receipt.batch is not None else "kept, for nobody of this ledger"


@contextmanager
def recorder(workspace: Workspace, environment: Environment) -> Iterator[Recorder]:
    name = ledger_name(workspace.sound, environment)
    with ledger_store(workspace, environment).inbox() as inbox:
        yield Recorder(inbox, Matcher(inbox, name), workspace.clock)


def ingest(workspace: Workspace, environment: Environment, data: bytes) -> Counts:
    """Every receipt of a file. A line that is none is told and hides no other."""
    counts = Counts()
    with recorder(workspace, environment) as keeper:
        chunk: list[Receipt] = []

        def flush() -> None:
            for made in chunk:
                counts.became[became(made, new=bool(keeper.inbox.add([made])))] += 1
            chunk.clear()

        for line, entry in receipts_in(data):
            if isinstance(entry, str):
                counts.unreadable.append((line, entry))
                continue
            chunk.append(keeper.receipt(entry))
            if len(chunk) >= AT_ONCE:
                flush()
        flush()
    return counts


def serve(
    workspace: Workspace,
    environment: Environment,
    *,
    host: str,
    port: int,
    hub_secret: str | None,
    shared_secret: str | None,
    insecure: bool,
    said: Callable[[str], None],
) -> None:
    """Take receipts in until interrupted. The secrets are names of environment variables."""
    from notifyctl.providers.webexconnect.hook import Trust
    from notifyctl.providers.webexconnect.hook import serve as serve_hook

    hub, shared = secret(workspace, hub_secret), secret(workspace, shared_secret)
    loopback = host in {"127.0.0.1", "::1", "localhost"}
    if hub is None and shared is None and not (insecure and loopback):
        raise UsageError(
            "anybody could post receipts here: name a secret that they must show",
            hint="--hub-secret-env NAME checks x-hub-signature, --secret-env NAME a secret in the path; on this machine alone,"
            " --insecure does without",
        )
    with recorder(workspace, environment) as keeper:
        trust = Trust(hub.encode() if hub else None, shared)
        serve_hook(trust, keeper.record, host=host, port=port, said=said)


def secret(workspace: Workspace, name: str | None) -> str | None:
    if name is None:
        return None
    value = workspace.environ.get(name, "")
    if len(value) < SHORTEST_SECRET:
        raise SettingsError(
            f"the variable {name} {'is too short for a secret' if value else 'is not set'}",
            hint=f"give it at least {SHORTEST_SECRET} characters, for example from: openssl rand -hex 32",
        )
    return value
