"""`--listen` of a service: `/healthz`, and `/metrics` if the library for it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from notifyctl.app.monitoring.health_server import Page, serve_health
from notifyctl.app.monitoring.measurements import Measurements
from notifyctl.app.runner.events import Health
from notifyctl.ports import Clock

NO_LIBRARY = "/metrics needs a library: pip install 'notifyctl[postgres]'\n"


@contextmanager
def serve_pages(
    address: str, health: Callable[[], Health], read: Callable[[], Measurements | None], clock: Clock
) -> Iterator[str]:
    """Serves both until the block ends. Yields the URL of `/healthz`. `read`: the numbers as they are now. Raises as `serve_health`."""
    with serve_health(address, health, make_metrics(read, health, clock)) as url:
        yield url


def make_metrics(
    read: Callable[[], Measurements | None], health: Callable[[], Health], clock: Clock
) -> Callable[[], Page]:
    try:
        from notifyctl.app.monitoring.metrics import metrics_page
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] != "prometheus_client":
            raise
        return lambda: Page(501, "text/plain; charset=utf-8", NO_LIBRARY.encode())
    return metrics_page(read, health, clock)
