"""`doctor` and the network: whether the provider's server can be reached, and whether its clock agrees with ours.

`HEAD /` goes to the server, without credentials and without a body: no message can come of it. Any HTTP response shows that
name, proxy and TLS are right.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from notifyctl.app.providers import is_embedded, refuse_sandbox_elsewhere, route_of
from notifyctl.app.workspace import Workspace
from notifyctl.model.checks import Check, error, not_checked, ok, warning
from notifyctl.model.project import Environment
from notifyctl.ports import Clock
from notifyctl.transport.failures import TransportError

PATIENCE = 10.0
"""Seconds for name, proxy, TLS and answer together."""
WORST = timedelta(seconds=30)
"""From here on a clock is an error: tokens are signed for 60 s, and nothing is sent by a clock that differs from the ledger's so much."""
NOTABLE = timedelta(seconds=5)
RESOLUTION = timedelta(seconds=1)
"""Of a Date header, which is cut off to whole seconds."""
SYNCHRONISE = "synchronise the clock of this machine, for example with chrony or systemd-timesyncd"


def check_endpoint(workspace: Workspace, environment: Environment, *, offline: bool) -> Iterator[Check]:
    refuse_sandbox_elsewhere(environment)
    if is_embedded(environment):
        yield ok("endpoint", "the built-in simulator, started by each apply")
        return
    assert environment.endpoint is not None
    parts = urlsplit(environment.endpoint)
    origin = f"{parts.scheme}://{parts.netloc}"
    if offline:
        yield not_checked("endpoint", f"{origin} was not asked (--offline)")
        return
    route = route_of(workspace, environment)
    way = f" through the proxy {route.proxy.url}" if route.proxy is not None else ""
    from notifyctl import __version__
    from notifyctl.transport.client import open_client

    headers = {"User-Agent": f"notifyctl/{__version__}"}
    before = workspace.clock.now()
    try:
        with open_client(route, seconds=PATIENCE, headers=headers) as client:
            response = client.head(f"{origin}/")
    except TransportError as problem:
        if not problem.left:
            yield error("endpoint", problem.message, problem.hint)
        else:
            yield warning(
                "endpoint",
                f"{origin} accepts connections{way}, but does not answer: {problem.message}",
                "check that the address is that of the API",
            )
        yield not_checked("clock", "the server's clock is unknown")
        return
    secured = " by TLS" if parts.scheme == "https" else ""
    yield ok("endpoint", f"{origin} answers{secured}{way}; no message was sent")
    yield check_date(workspace.clock, before, response.headers.get("date"), origin)


def check_date(clock: Clock, before: datetime, date: str | None, origin: str) -> Check:
    """`before`: when the request left. The server's clock was read between that moment and now, and cut off to a second."""
    now = clock.now()
    theirs = None
    with suppress(ValueError, TypeError):
        theirs = parsedate_to_datetime(date) if date else None
    if theirs is None:
        return not_checked("clock", f"{origin} gives no time in its response")
    theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    return judge_clock(before - theirs - RESOLUTION, now - theirs, f"the clock of {origin}")


def judge_clock(least: timedelta, most: timedelta, of: str, *, name: str = "clock") -> Check:
    """`least` and `most`: between which this machine's clock is ahead of another one, `of`."""
    surely = least if least > timedelta() else min(timedelta(), most)
    if abs(surely) < NOTABLE:
        return ok(name, f"agrees with {of}")
    seconds = abs(surely).total_seconds()
    text = f"the clock of this machine is {seconds:,.0f} s {'ahead of' if surely > timedelta() else 'behind'} {of}"
    return error(name, text, SYNCHRONISE) if abs(surely) >= WORST else warning(name, text, SYNCHRONISE)
