"""Connections under a total deadline: DNS, connecting, TLS, every write and every read share the seconds of one request.

The time-outs of httpx begin anew with each read, so a server that sends a byte now and then outlives them. A request works
on one thread from its first to its last byte, so its deadline is found in a context variable by whatever that thread does.
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
"""Seconds for each address of a host, and as many for TLS."""
CHUNK = 1 << 16
PASSING = {EAI_AGAIN, EAI_MEMORY, EAI_SYSTEM}
"""Failures to find a host that say nothing about its name."""

T = TypeVar("T")

DEADLINE: ContextVar[Deadline] = ContextVar("DEADLINE")


class UnknownHostError(httpcore.ConnectError):
    """A name without an address. `lasting`: the name server says that there is none, and not that it cannot tell now."""

    def __init__(self, why: str, *, lasting: bool) -> None:
        super().__init__(why)
        self.why = why
        self.lasting = lasting


class CertificateError(httpcore.ConnectError):
    """The other side's certificate is not trusted."""

    def __init__(self, error: ssl.SSLCertVerificationError) -> None:
        super().__init__(error)
        self.error = error


class TlsError(httpcore.ConnectError):
    """TLS did not come about, for another reason than the certificate."""


@contextmanager
def time_limit(seconds: float) -> Iterator[Deadline]:
    """From now on, for all that this thread does on connections."""
    countdown = Deadline(seconds)
    token = DEADLINE.set(countdown)
    try:
        yield countdown
    finally:
        DEADLINE.reset(token)


def remaining() -> float:
    """Seconds. Raises TimeoutError when none are left: a time-out of zero would mean not to wait at all."""
    seconds = DEADLINE.get().remaining
    if not seconds:
        raise TimeoutError("the deadline has passed")
    return seconds


@contextmanager
def translate_errors(timed_out: type[Exception], failed: type[Exception]) -> Iterator[None]:
    """Errors of a socket as those of httpcore."""
    try:
        yield
    except TimeoutError as error:
        raise timed_out(error) from error
    except OSError as error:
        raise failed(error) from error


class DeadlineBackend(httpcore.NetworkBackend):
    """Makes connections for httpcore. `max_received`: bytes that are read of one answer, with its head and what frames it."""

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
        """On a thread of its own: nothing ends a name server's wait, and each of a host's addresses is tried in turn."""
        with translate_errors(httpcore.ConnectTimeout, httpcore.ConnectError):
            seconds = remaining()
        connecting: Future[httpcore.NetworkStream] = Future()

        def connect() -> None:
            each = min(CONNECT_TIMEOUT, seconds)
            try:
                stream = self._backend.connect_tcp(host, port, each, local_address, socket_options)
            except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
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
    """Close a connection that came too late."""
    if connecting.exception() is None:
        connecting.result().close()


class DeadlineStream(httpcore.NetworkStream):
    """A connection. `received` is what was read since the last write: the answer to one request. It may be idle for
    `idle_limit` seconds from `idle_since` on, and be used again within these.
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
        rest = memoryview(buffer)
        while rest:
            rest = rest[self._send(rest) :]

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
        """Raises CertificateError or TlsError, and closes the connection then."""
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
        seconds = min(
            CONNECT_TIMEOUT, remaining()
        )  # of the whole handshake: the standard library sees to that
        secured = self._stream.start_tls(ssl_context, server_hostname, seconds)
        return DeadlineStream(secured, max_received=self.max_received)

    def keep(self, seconds: float) -> None:
        """From now on it may be idle for so long; zero: it is not used again."""
        self.idle_since, self.idle_limit = read_clocks(), seconds

    @property
    def idle_for(self) -> float:
        """Seconds, by the clock that says more: one of the two stands still while the machine sleeps."""
        return seconds_since(self.idle_since)

    def get_extra_info(self, info: str) -> Any:
        return self._has_data() if info == "is_readable" else self._stream.get_extra_info(info)

    def _has_data(self) -> bool:
        """Whether the other side closed the connection, or sent what nobody asked for."""
        if not self._stream.get_extra_info("is_readable"):
            return False
        try:  # what came may be of TLS alone, such as a ticket
            self._socket.settimeout(0.0)
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        return True


class NestedTlsStream(DeadlineStream):
    """TLS to a server within the TLS to its proxy. The standard library's sockets do not nest, and httpcore's own way of nesting
    waits anew for each packet.
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
        """Do a step of TLS, with as many packets to and from the proxy as it needs."""
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
