"""Use cases of `receipts`: finds the recipient of a receipt and records it. Records unmatched receipts too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct, field

from notifyctl.app.ledger import ledger_name, ledger_store
from notifyctl.app.receipts.reduction import possible_keys
from notifyctl.app.receipts.tally import Tally
from notifyctl.app.resolve import uncertain_positions
from notifyctl.app.workspace import Workspace
from notifyctl.apply.correlation import (
    batch_in_callback,
    is_of_another_ledger,
    is_of_test,
    message_ids,
    parse_correlation_id,
    verify,
)
from notifyctl.errors import SettingsError, UsageError
from notifyctl.model.events import Receipt
from notifyctl.model.ledger import BatchRecord
from notifyctl.model.project import Environment
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES
from notifyctl.ports import Clock, LedgerReader, ReceiptInbox
from notifyctl.providers.webexconnect.receipts import Incoming, printable, receipts_in

MATCHED_TOGETHER = 500
"""Receipts of a file that are matched before any of them is recorded. Recording the first receipt of an uncertain member
settles it, and a second one would no longer match it by destination."""
MIN_SECRET_LENGTH = 16


class Match(Struct, frozen=True):
    """The member of a batch that a receipt is about; both None if it is not in this ledger."""

    batch: int | None
    position: int | None


NO_MATCH = Match(None, None)


class Matcher(Struct, frozen=True):
    """Finds the member that a receipt is about. `ledger` is project/environment."""

    reader: LedgerReader
    ledger: str

    def match(self, receipt: Incoming) -> Match:
        """Matches by our correlation id; else by our callback data or the provider's id, with the destination; else by the
        author's correlation id with the destination, if exactly one member with it is uncertain. A receipt of a test message is
        about nobody.
        """
        if is_of_test(receipt.correlation_id, receipt.callback_data):
            return NO_MATCH
        recipients = self.recipient_ids(receipt.destination)
        if receipt.inbound:
            return self.last_message(recipients, receipt.channel) if recipients else NO_MATCH
        for batch, index in self.candidates(receipt):
            position = position_of(batch, recipients, index or 0) if recipients else index
            if position is not None:
                return Match(batch.number, position)
        # One address may be uncertain in several ledgers.
        of_others = is_of_another_ledger(receipt.correlation_id, receipt.callback_data, self.ledger)
        if not recipients or not receipt.correlation_id or of_others:
            return NO_MATCH
        return self.only_uncertain(recipients)

    def candidates(self, receipt: Incoming) -> Iterator[tuple[BatchRecord, int | None]]:
        """Batches that the receipt may be about, the most certain first, with the position if the receipt names it."""
        parsed = parse_correlation_id(receipt.correlation_id or "")
        if parsed is not None:
            number, index, _ = parsed
            text = receipt.correlation_id or ""
            batch = self.reader.find(number)
            if batch is not None and any(verify(text, seal) for seal in self.reader.seals(number)):
                yield batch, index
                return
        named = batch_in_callback(receipt.callback_data, self.ledger)
        for number in (
            *([] if named is None else [named]),
            *self.batches_by_transaction(receipt.transaction),
        ):
            batch = self.reader.find(number)
            if batch is not None:
                yield batch, None

    def batches_by_transaction(self, transaction: str | None) -> Iterator[int]:
        for candidate in message_ids(transaction):
            number = self.reader.by_provider_id(candidate)
            if number is not None:
                yield number

    def recipient_ids(self, destination: str | None) -> set[bytes]:
        """What the ledger may know the destination by; empty if it is no address."""
        return set(self.reader.recipient_ids(possible_keys(destination)))

    def last_message(self, recipients: set[bytes], channel: str | None) -> Match:
        """The last batch with this recipient, by any of their ids, on a channel where it is known."""
        found = NO_MATCH
        for scope in self.reader.scopes():
            for batch in self.reader.facts(scope) if channel in {None, scope.channel.value} else ():
                if found.batch is None or batch.number > found.batch:
                    position = position_of(batch, recipients, 0)
                    found = Match(batch.number, position) if position is not None else found
        return found

    def only_uncertain(self, recipients: set[bytes]) -> Match:
        matches = [
            Match(batch.number, position)
            for scope in self.reader.scopes()
            for batch in self.reader.facts(scope)
            for position in uncertain_positions(batch, recipients)
        ]
        return matches[0] if len(matches) == 1 else NO_MATCH


def position_of(batch: BatchRecord, recipients: set[bytes], first: int) -> int | None:
    """The recipient's position in a batch, by any of their ids, preferably from `first` on."""
    found = [
        position
        for position, at in enumerate(range(0, len(batch.members), MEMBER_BYTES))
        if batch.members[at : at + ID_BYTES] in recipients
    ]
    return next((position for position in found if position >= first), found[0] if found else None)


class IngestResult(Struct):
    """The receipts of a file by result, and (line, problem) of each line that is not a receipt."""

    became: Counter[str] = field(default_factory=Counter)
    unreadable: list[tuple[int, str]] = field(default_factory=list)


class Recorder(Struct, frozen=True):
    """Records receipts in a ledger. Repeats are recognised by keyed digests, so that no plain hash of an address is stored."""

    inbox: ReceiptInbox
    matcher: Matcher
    clock: Clock

    def build_receipt(self, incoming: Incoming) -> Receipt:
        match = self.matcher.match(incoming)
        return Receipt(
            digest=self.inbox.recipient_ids(["receipt\0" + incoming.canonical])[0],
            at=self.clock.now(),
            status=incoming.status,
            batch=match.batch,
            position=match.position,
            code=printable(incoming.code or "")[:40] or None,
            provider_id=printable(incoming.transaction or "")[:80] or None,
            said_at=printable(incoming.said_at or "")[:40] or None,
        )

    def record(self, incoming: Incoming) -> str:
        """Records a receipt durably and returns what became of it."""
        return self.add(self.build_receipt(incoming))

    def add(self, receipt: Receipt) -> str:
        new = self.inbox.add([receipt])
        return describe_result(receipt, new=bool(new))


def describe_result(receipt: Receipt, *, new: bool) -> str:
    if not new:
        return "already recorded"
    return "recorded" if receipt.batch is not None else "recorded without a matching recipient"


@contextmanager
def open_recorder(workspace: Workspace, environment: Environment) -> Iterator[Recorder]:
    name = ledger_name(workspace.sound, environment)
    with ledger_store(workspace, environment).inbox() as inbox:
        yield Recorder(inbox, Matcher(inbox, name), workspace.clock)


def ingest(workspace: Workspace, environment: Environment, data: bytes) -> IngestResult:
    """Records every receipt of a file. A line that is not a receipt is reported and skipped."""
    result = IngestResult()
    if environment.ledger.url is not None:
        from notifyctl.app.receipts.shared import ingest_shared

        entries = list(receipts_in(data))
        result.unreadable = [(line, entry) for line, entry in entries if isinstance(entry, str)]
        read = [entry for _, entry in entries if not isinstance(entry, str)]
        result.became = ingest_shared(workspace, environment, read)
        return result
    with open_recorder(workspace, environment) as recorder:
        entries = list(receipts_in(data))
        for start in range(0, len(entries), MATCHED_TOGETHER):
            receipts = []
            for line, entry in entries[start : start + MATCHED_TOGETHER]:
                if isinstance(entry, str):
                    result.unreadable.append((line, entry))
                else:
                    receipts.append(recorder.build_receipt(entry))
            result.became.update(map(recorder.add, receipts))
    return result


def serve(
    workspace: Workspace,
    environment: Environment,
    *,
    host: str,
    port: int,
    hub_secret: str | None,
    shared_secret: str | None,
    insecure: bool,
    on_receipt: Callable[[str], None],
    on_line: Callable[[str], None],
) -> None:
    """Receives receipts until interrupted. `hub_secret` and `shared_secret` are names of environment variables.

    `on_receipt` receives a line about each request, `on_line` the lines to show: of many that are the same, the first and how often it
    came again. Raises UsageError without a secret, SettingsError for a bad one.
    """
    from notifyctl.providers.webexconnect.receipt_server import Deferred, ReceiptAuth
    from notifyctl.providers.webexconnect.receipt_server import serve as serve_receipts

    hub, shared = read_secret(workspace, hub_secret), read_secret(workspace, shared_secret)
    loopback = host in {"127.0.0.1", "::1", "localhost"}
    if hub is None and shared is None and not (insecure and loopback):
        raise UsageError(
            "refusing to accept receipts from unauthenticated senders",
            hint="to check signatures, add --hub-secret-env NAME; for a secret in the path, add --secret-env NAME; on this machine"
            " only, add --insecure",
        )
    auth = ReceiptAuth(hub.encode() if hub else None, shared)
    if environment.ledger.url is None:
        with open_recorder(workspace, environment) as recorder:
            serve_receipts(
                auth, recorder.record, host=host, port=port, on_receipt=each_to(on_receipt, on_line)
            )
        return
    from notifyctl.app.receipts.shared import open_receiver

    tally = Tally(on_line, workspace.clock)
    with open_receiver(workspace, environment) as receiver:
        try:
            serve_receipts(
                auth,
                Deferred(receiver.offer, receiver.intake.is_ready),
                host=host,
                port=port,
                on_receipt=each_to(on_receipt, tally),
            )
        finally:
            tally.report()


def each_to(*receivers: Callable[[str], None]) -> Callable[[str], None]:
    def pass_on(line: str) -> None:
        for receive in receivers:
            receive(line)

    return pass_on


def read_secret(workspace: Workspace, name: str | None) -> str | None:
    if name is None:
        return None
    value = workspace.environ.get(name, "")
    if len(value) < MIN_SECRET_LENGTH:
        raise SettingsError(
            f"the variable {name} {'is too short for a secret' if value else 'is not set'}",
            hint=f"give it at least {MIN_SECRET_LENGTH} characters, for example from: openssl rand -hex 32",
        )
    return value
