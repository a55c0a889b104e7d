"""Connections with one deadline per request, shared by DNS, connect, TLS, writes and reads.

The timeouts of httpx restart with each read, so a slow trickle of bytes never exceeds them. A request runs on one thread,
so its deadline is in a context variable.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from contextvars import ContextVar
from socket import EAI_AGAIN, EAI_MEMORY, EAI_SYSTEM, gaierror
from threading import Thread
from typing import Any, TypeVar

import httpcore

from notifyctl.deadline import ClockReading, Deadline, read_clocks, seconds_since

CONNECT_TIMEOUT = 5.0
"""Seconds per address of a host, and again for TLS."""
CHUNK = 1 << 16
PASSING = {EAI_AGAIN, EAI_MEMORY, EAI_SYSTEM}
"""Lookup errors that are not about the host name itself."""

T = TypeVar("T")

DEADLINE: ContextVar[Deadline] = ContextVar("DEADLINE")


class UnknownHostError(httpcore.ConnectError):
    """A host name without an address. `lasting`: the name server is sure; False for a temporary failure."""

    def __init__(self, why: str, *, lasting: bool) -> None:
        super().__init__(why)
        self.why = why
        self.lasting = lasting


class CertificateError(httpcore.ConnectError):
    """The peer's certificate is not trusted."""

    def __init__(self, error: ssl.SSLCertVerificationError) -> None:
        super().__init__(error)
        self.error = error


class TlsError(httpcore.ConnectError):
    """The TLS handshake failed for another reason than the certificate."""


@contextmanager
def time_limit(seconds: float) -> Iterator[Deadline]:
    """Sets the deadline of all connection work on this thread, from now on."""
    deadline = Deadline(seconds)
    token = DEADLINE.set(deadline)
    try:
        yield deadline
    finally:
        DEADLINE.reset(token)


def remaining() -> float:
    """Returns the seconds left. Raises TimeoutError at zero, because a socket timeout of 0 means non-blocking."""
    seconds = DEADLINE.get().remaining
    if not seconds:
        raise TimeoutError("the deadline has passed")
    return seconds


@contextmanager
def translate_errors(timed_out: type[Exception], failed: type[Exception]) -> Iterator[None]:
    """Raises socket errors as errors of httpcore."""
    try:
        yield
    except TimeoutError as error:
        raise timed_out(error) from error
    except OSError as error:
        raise failed(error) from error


class DeadlineBackend(httpcore.NetworkBackend):
    """Makes connections for httpcore. `max_received`: limit in bytes of one response, with headers and framing."""

    def __init__(self, *, max_received: int) -> None:
        self._backend = httpcore.SyncBackend()
        self.max_received = max_received

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline counts
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connects on a separate thread, because a DNS lookup has no timeout and addresses are tried in turn."""
        with translate_errors(httpcore.ConnectTimeout, httpcore.ConnectError):
            seconds = remaining()
        connecting: Future[httpcore.NetworkStream] = Future()

        def connect() -> None:
            each = min(CONNECT_TIMEOUT, seconds)
            try:
                stream = self._backend.connect_tcp(host, port, each, local_address, socket_options)
            except BaseException as error:  # noqa: BLE001 - raised by `result`
                connecting.set_exception(error)
            else:
                connecting.set_result(stream)

        Thread(target=connect, name="notifyctl-connect", daemon=True).start()
        try:
            return DeadlineStream(connecting.result(seconds), max_received=self.max_received)
        except FutureTimeoutError:
            connecting.add_done_callback(discard)
            raise httpcore.ConnectTimeout("it took too long") from None
        except UnicodeError:
            raise UnknownHostError("not a valid name of a host", lasting=True) from None
        except httpcore.ConnectError as error:
            if isinstance(error.__cause__, gaierror):
                raise classify_lookup(error.__cause__) from error
            raise


def classify_lookup(error: gaierror) -> UnknownHostError:
    return UnknownHostError(error.strerror or "unknown name", lasting=error.errno not in PASSING)


def discard(connecting: Future[httpcore.NetworkStream]) -> None:
    """Closes a connection made after the deadline."""
    if connecting.exception() is None:
        connecting.result().close()


class DeadlineStream(httpcore.NetworkStream):
    """A connection. `received`: the bytes read since the last write, that is, one response. It can be reused for `idle_limit`
    seconds from `idle_since` on.
    """

    def __init__(self, stream: httpcore.NetworkStream, *, max_received: int) -> None:
        self._stream = stream
        self.max_received = max_received
        self._socket = stream.get_extra_info("socket")
        self.received = bytearray()
        self.idle_since: ClockReading = read_clocks()
        self.idle_limit = 0.0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline counts
        data = self._receive(max_bytes)
        self.received += data
        if len(self.received) > self.max_received:
            raise httpcore.ReadError("longer than any answer")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the deadline counts
        self.received.clear()
        unsent = memoryview(buffer)
        while unsent:
            unsent = unsent[self._send(unsent) :]

    def _receive(self, max_bytes: int) -> bytes:
        with translate_errors(httpcore.ReadTimeout, httpcore.ReadError):
            self._socket.settimeout(remaining())
            data: bytes = self._socket.recv(max_bytes)
        return data

    def _send(self, data: memoryview) -> int:
        with translate_errors(httpcore.WriteTimeout, httpcore.WriteError):
            self._socket.settimeout(remaining())
            sent: int = self._socket.send(data)
        return sent

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the deadline counts
    ) -> httpcore.NetworkStream:
        """Raises CertificateError or TlsError after closing the connection."""
        try:
            with translate_errors(httpcore.ConnectTimeout, TlsError):
                return self._secured(ssl_context, server_hostname)
        except httpcore.ConnectError as error:
            self.close()
            cause = error.__cause__
            if isinstance(cause, ssl.SSLCertVerificationError):
                raise CertificateError(cause) from error
            raise TlsError(cause or error) from error
        except BaseException:
            self.close()
            raise

    def _secured(self, ssl_context: ssl.SSLContext, server_hostname: str | None) -> DeadlineStream:
        if self._stream.get_extra_info("ssl_object") is not None:
            return NestedTlsStream(self, self._stream, ssl_context, server_hostname)
        seconds = min(CONNECT_TIMEOUT, remaining())  # the standard library applies it to the whole handshake
        secured = self._stream.start_tls(ssl_context, server_hostname, seconds)
        return DeadlineStream(secured, max_received=self.max_received)

    def keep(self, seconds: float) -> None:
        """Starts the idle period. 0 seconds: the connection is not reused."""
        self.idle_since, self.idle_limit = read_clocks(), seconds

    @property
    def idle_for(self) -> float:
        """Seconds since `idle_since`, by the larger of two clocks: one stops while the machine sleeps."""
        return seconds_since(self.idle_since)

    def get_extra_info(self, info: str) -> Any:
        return self._has_data() if info == "is_readable" else self._stream.get_extra_info(info)

    def _has_data(self) -> bool:
        """Whether the peer closed the connection or sent unexpected data."""
        if not self._stream.get_extra_info("is_readable"):
            return False
        try:  # the data can be TLS-internal, such as a session ticket
            self._socket.settimeout(0.0)
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        return True


class NestedTlsStream(DeadlineStream):
    """TLS to a server inside TLS to a proxy. Sockets of the standard library do not nest, and httpcore's own nesting restarts the
    timeout with each packet.
    """

    def __init__(
        self,
        outer: DeadlineStream,
        stream: httpcore.NetworkStream,
        context: ssl.SSLContext,
        host: str | None,
    ) -> None:
        super().__init__(stream, max_received=outer.max_received)
        self._outer = outer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._drive(self._tls.do_handshake)

    def _receive(self, max_bytes: int) -> bytes:
        with translate_errors(httpcore.ReadTimeout, httpcore.ReadError):
            try:
                return self._drive(lambda: self._tls.read(max_bytes))
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                return b""

    def _send(self, data: memoryview) -> int:
        with translate_errors(httpcore.WriteTimeout, httpcore.WriteError):
            return self._drive(lambda: self._tls.write(data[:CHUNK]))

    def _drive(self, step: Callable[[], T]) -> T:
        """Runs a TLS operation, exchanging packets with the proxy until it completes."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._flush()
                data = self._outer.read(CHUNK)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        if pending := self._outgoing.read():
            self._outer.write(pending)

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object":
            return self._tls
        return self._outer.get_extra_info(info)
