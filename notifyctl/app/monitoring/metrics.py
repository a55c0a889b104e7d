"""`/metrics`: what Prometheus collects of a ledger, read from the database when it asks, at most once in some seconds.

Names follow the conventions of Prometheus: base units, `_total` for what only grows. No label has a value of a recipient, a text or
a name of a process: labels are closed sets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from threading import Lock

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from notifyctl import __version__
from notifyctl.app.monitoring.health_server import Page
from notifyctl.app.monitoring.measurements import Measurements, ServerMeasurements
from notifyctl.app.runner.events import Health
from notifyctl.errors import NotifyctlError
from notifyctl.model.ledger import BatchState
from notifyctl.model.progress import LedgerProgress, RunProgress, WorkersProgress
from notifyctl.ports import Clock

SHORTEST = 5.0
"""Seconds between two reads of the database, however often and by however many servers it is asked."""
SHARE, LONGEST = 20, 60.0
"""What takes long is read less often: a twentieth of the time is spent on it, but at least every so many seconds. A failure may be over
at once, and says nothing of the cost.
"""
JOB_STATES = ("todo", "doing", "failed")
OUTCOMES = (BatchState.ACCEPTED, BatchState.REJECTED, BatchState.UNKNOWN)


class LedgerCollector(Collector):
    """`read`: the numbers as they are now; None if there is no ledger yet; raises NotifyctlError if it cannot be read."""

    def __init__(
        self, read: Callable[[], Measurements | None], health: Callable[[], Health], clock: Clock
    ) -> None:
        self._read = read
        self._health = health
        self._clock = clock
        self._lock = Lock()
        self._due: float | None = None
        """When to read again."""
        self._found: Measurements | None = None
        self._seconds = 0.0
        """That the last read took."""

    def describe(self) -> Iterable[Metric]:
        """Nothing: so registering does not read the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        found, seconds = self._measure()
        yield InfoMetricFamily("notifyctl_build", "Version of notifyctl.", value={"version": __version__})
        yield from health_metrics(self._health())
        yield gauge("notifyctl_ledger_up", "1 if the ledger could be read.", float(found is not None))
        yield gauge("notifyctl_ledger_read_seconds", "Seconds that reading the ledger took.", seconds)
        if found is None:
            return
        now = self._clock.now().timestamp()
        yield from ledger_metrics(found.ledger, now)
        if found.workers is not None:
            yield from workers_metrics(found.workers)
        if found.server is not None:
            yield from server_metrics(found.server)

    def _measure(self) -> tuple[Measurements | None, float]:
        with self._lock:
            started = self._clock.monotonic()
            if self._due is None or started >= self._due:
                try:
                    self._found = self._read()
                except NotifyctlError:
                    self._found = None
                self._seconds = self._clock.monotonic() - started
                rest = min(SHARE * self._seconds, LONGEST) if self._found is not None else 0.0
                self._due = started + max(SHORTEST, rest)
            return self._found, self._seconds


def metrics_page(
    read: Callable[[], Measurements | None], health: Callable[[], Health], clock: Clock
) -> Callable[[], Page]:
    """Makes the page of `/metrics`, from a registry of its own."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(LedgerCollector(read, health, clock))
    ProcessCollector(registry=registry)
    return lambda: Page(200, CONTENT_TYPE_LATEST, generate_latest(registry))


def gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)


def counter(name: str, documentation: str, value: float) -> Metric:
    return CounterMetricFamily(name, documentation, value=value)


def labelled(family: GaugeMetricFamily | CounterMetricFamily, values: Iterable[tuple[str, float]]) -> Metric:
    for label, value in values:
        family.add_metric([label], value)
    return family


def health_metrics(health: Health) -> Iterator[Metric]:
    yield gauge("notifyctl_healthy", "1 if /healthz answers 200.", float(health.ok))
    if health.next_due is not None:
        yield gauge(
            "notifyctl_next_due_timestamp_seconds",
            "When the next message is due.",
            health.next_due.timestamp(),
        )
    if health.checked is not None:
        yield gauge(
            "notifyctl_last_round_timestamp_seconds", "When the last round ended.", health.checked.timestamp()
        )


def ledger_metrics(progress: LedgerProgress, now: float) -> Iterator[Metric]:
    totals = progress.totals
    yield counter("notifyctl_requests", "Requests to the provider that were started.", totals.attempts)
    yield labelled(
        CounterMetricFamily(
            "notifyctl_outcomes",
            "Recorded outcomes of requests; a later one of the same request counts too.",
            labels=["outcome"],
        ),
        ((kind.value, totals.outcomes.get(kind, 0)) for kind in OUTCOMES),
    )
    yield counter(
        "notifyctl_recipients_accepted", "Recipients in requests that the provider accepted.", totals.accepted
    )
    yield counter("notifyctl_receipts", "Receipts in the ledger.", totals.receipts)
    yield counter("notifyctl_ledger_records", "Records in the ledger.", totals.records)
    if progress.run is not None:
        yield from run_metrics(progress.run, now)


def run_metrics(run: RunProgress, now: float) -> Iterator[Metric]:
    yield labelled(
        GaugeMetricFamily(
            "notifyctl_run_recipients", "Recipients of the latest run by state.", labels=["state"]
        ),
        ((state.value, run.recipients.get(state, 0)) for state in BatchState),
    )
    yield labelled(
        GaugeMetricFamily("notifyctl_run_batches", "Batches of the latest run by state.", labels=["state"]),
        ((state.value, run.batches.get(state, 0)) for state in BatchState),
    )
    yield gauge("notifyctl_requests_in_flight", "Requests without an outcome yet.", run.in_flight)
    oldest = max(now - run.in_flight_since.timestamp(), 0.0) if run.in_flight_since is not None else 0.0
    yield gauge("notifyctl_oldest_in_flight_seconds", "Age of the oldest request without an outcome.", oldest)
    yield gauge(
        "notifyctl_run_start_timestamp_seconds", "When the latest run started.", run.started.timestamp()
    )


def workers_metrics(progress: WorkersProgress) -> Iterator[Metric]:
    yield gauge("notifyctl_workers", "Workers that are alive.", len(progress.workers))
    campaign = progress.campaign
    if campaign is not None:
        yield gauge(
            "notifyctl_campaign_open", "1 while workers send an apply.", float(campaign.ended is None)
        )
        yield gauge("notifyctl_campaign_batches", "Batches of the latest apply by workers.", campaign.batches)
        yield gauge("notifyctl_campaign_batches_done", "Those that need no more work.", campaign.done)
    backlog = progress.backlog
    yield labelled(
        GaugeMetricFamily("notifyctl_jobs", "Jobs in the queue by status.", labels=["status"]),
        ((status, backlog.jobs.get(status, 0)) for status in JOB_STATES),
    )
    yield gauge(
        "notifyctl_oldest_job_seconds",
        "For how long the oldest job could have been taken.",
        backlog.job_seconds,
    )
    yield gauge("notifyctl_receipts_waiting", "Receipts in the inbox.", backlog.receipts)
    yield gauge(
        "notifyctl_oldest_receipt_seconds", "Age of the oldest receipt in the inbox.", backlog.receipt_seconds
    )
    yield gauge(
        "notifyctl_pace_ahead_seconds",
        "How far ahead starts are reserved by the account's pace.",
        backlog.pace_seconds,
    )
    yield gauge("notifyctl_halted", "1 while sending is halted.", float(backlog.halted))


def server_metrics(server: ServerMeasurements) -> Iterator[Metric]:
    horizon = server.horizon
    yield gauge(
        "notifyctl_postgresql_oldest_xmin_age_transactions",
        "How many transactions VACUUM is held back by, as far as this role sees.",
        horizon.transactions if horizon is not None else 0,
    )
    yield gauge(
        "notifyctl_postgresql_oldest_transaction_seconds",
        "How long the transaction that holds back VACUUM has been open.",
        (horizon.seconds or 0.0) if horizon is not None else 0.0,
    )
    yield labelled(
        GaugeMetricFamily("notifyctl_postgresql_dead_rows", "Dead rows by table.", labels=["table"]),
        ((table.name, table.dead) for table in server.tables),
    )
    yield labelled(
        GaugeMetricFamily("notifyctl_postgresql_live_rows", "Live rows by table.", labels=["table"]),
        ((table.name, table.live) for table in server.tables),
    )
    yield labelled(
        GaugeMetricFamily(
            "notifyctl_postgresql_last_vacuum_timestamp_seconds",
            "When a table was last vacuumed.",
            labels=["table"],
        ),
        ((table.name, table.vacuumed.timestamp()) for table in server.tables if table.vacuumed is not None),
    )
    yield labelled(
        GaugeMetricFamily(
            "notifyctl_postgresql_autovacuum_enabled", "1 if autovacuum works on a table.", labels=["table"]
        ),
        ((table.name, float(server.autovacuum and table.has_autovacuum)) for table in server.tables),
    )
    yield gauge("notifyctl_postgresql_connections_used", "Connections in use.", server.connections.used)
    yield gauge(
        "notifyctl_postgresql_connections_limit", "Connections that are allowed.", server.connections.limit
    )
    yield gauge(
        "notifyctl_postgresql_clock_ahead_seconds",
        "By how much this machine's clock is ahead of the database's.",
        server.clock_ahead,
    )
