"""A clock, files and a provider under the control of a test. No I/O, no real time."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from notifyctl.config.paths import (
    IGNORE_FILE,
    MAX_READ,
    compile_ignore_rules,
    is_hidden,
    normalise_path,
    too_large_error,
)
from notifyctl.model.batch import Accepted, Batch, Outcome, PreparedRequest, UnitColumns, Units


def whole(units: Units) -> UnitColumns:
    """All units in one chunk."""
    return next(units.chunks(max(len(units), 1)), UnitColumns(b"", (), (), ()))


class ManualClock:
    """A ports.Clock that only `sleep`, `wait` and `advance` move; no call blocks."""

    def __init__(self, start: datetime) -> None:
        self._start = start.astimezone(UTC)
        self._passed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def sleep(self, seconds: float) -> None:
        self.advance(max(seconds, 0))

    def wait(self, happened: threading.Event, seconds: float) -> None:
        if not happened.is_set():
            self.sleep(seconds)

    def advance(self, seconds: float) -> None:
        self._passed += seconds


class MemoryFiles:
    """A ports.FileTree in memory: path → text or bytes."""

    def __init__(self, files: Mapping[str, bytes | str]) -> None:
        self._files = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}

    def paths(self) -> Sequence[str]:
        is_ignored = compile_ignore_rules(self._files.get(IGNORE_FILE))
        return sorted(path for path in self._files if not is_hidden(path) and not is_ignored(path))

    def read(self, path: str) -> bytes:
        data = self._files.get(normalise_path(path))
        if data is None:
            raise FileNotFoundError(2, "No such file or directory", path)
        if len(data) > MAX_READ:
            raise too_large_error(path)
        return data

    def open(self, path: str) -> BinaryIO:
        return io.BytesIO(self._files.get(normalise_path(path)) or self.read(path))

    def on_disk(self, path: str) -> str | None:
        self.open(path).close()
        return None


class RecordingProvider:
    """A ports.Provider that reaches nobody. `sent` are the requests in order of arrival. They get the outcomes of `script`,
    and are accepted once it is exhausted.
    """

    def __init__(self, script: Iterable[Outcome] = ()) -> None:
        self.sent: list[PreparedRequest] = []
        self._script = iter(script)
        self._lock = threading.Lock()

    def prepare(self, batch: Batch) -> PreparedRequest:
        field = batch.message.channel.address_field
        body = {
            "channel": batch.message.channel.value,
            "to": [
                {
                    field: list(entry.addresses),
                    "correlationId": entry.correlation_id,
                    "substitutions": dict(entry.substitutions),
                }
                for entry in batch.to
            ],
            "callbackData": batch.envelope.callback_data,
        }
        return PreparedRequest(
            "POST", "https://api.example/v2/messages", {"key": "<redacted>"}, json.dumps(body).encode()
        )

    def send(self, request: PreparedRequest) -> Outcome:
        with self._lock:
            self.sent.append(request)
            return next(self._script, Accepted(f"message-{len(self.sent)}", 201))

    def close(self) -> None:
        pass
