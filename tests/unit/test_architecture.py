"""The structure is a promise: imports run downwards only, no cycle, one door for each side effect."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[2] / "notifyctl"

ROWS: tuple[tuple[str, ...], ...] = (
    (
        "deadline",
        "strict_json",
        "private_files",
        "merge_conflicts",
        "text_encoding",
        "command_line",
        "plurals",
    ),
    ("progress",),
    ("diagnostics", "exit_codes"),
    ("errors", "rulebook"),
    ("model", "fault_injection"),
    ("secrets", "hashing", "ssh_signature"),
    ("ports",),
    ("transport",),
    ("config",),
    ("channels", "message", "audience", "schedule", "fmt"),
    ("recipients",),
    ("lint", "plan"),
    ("apply",),
    ("views", "providers", "ledger", "engine", "forge", "git", "files", "clock"),
    ("git_history",),
    ("app", "testing"),
    ("cli",),
    ("__main__",),
)
"""From the bottom up. A room imports rooms of lower rows and its own modules, never its row's others."""

DOORS = {
    "yaml": ("config.reader", "fmt.outline"),
    "duckdb": ("audience.engine", "audience.sql_guard"),
    "subprocess": ("git",),
    "sqlite3": ("ledger.sqlite.database", "audience.sqlite"),
    "httpx": ("transport.client",),
    "httpcore": ("transport.client", "transport.connections", "transport.keep_alive"),
    "h11": ("transport.keep_alive",),
    "truststore": ("transport.certificates",),
    "certifi": ("transport.certificates",),
    "jwt": ("forge.id_token", "providers.webexconnect.auth"),
    "cryptography": ("forge.id_token", "ssh_signature"),
    "uvicorn": (
        "providers.sandbox.server",
        "providers.webexconnect.receipt_connections",
        "providers.webexconnect.receipt_server",
    ),
    "jinja2": (
        "message.broken_tags",
        "message.jinja",
        "message.jinja_trace",
        "message.syntax_hints",
        "message.template_errors",
        "message.undefined_names",
    ),
    "holidays": ("schedule.holiday_dates",),
    "icalendar": ("schedule.holiday_dates", "views.ics"),
    "recurring_ical_events": ("schedule.holiday_dates",),
    "procrastinate": ("engine.procrastinate_queue", "ledger.postgresql.migrations"),
    "prometheus_client": ("app.monitoring.metrics",),
    "phonenumbers": ("audience.numbering", "config.scalar_types"),
}
"""A third-party or side-effect module, and the only modules of ours that import it."""


MACHINERY = {
    "socket": {
        "transport.connections": "look-up errors, and time limits on each read and write of what httpcore opened",
        "providers.sandbox.server": "listens on loopback",
        "providers.webexconnect.receipt_server": "listens for receipts",
        "app.ledger": "the name of this host, for the lock's holder",
        "app.monitoring.health_server": "the family of the address that it listens at",
    },
    "select": {},
    "os.fork": {},
    "os._exit": {},
    "exec": {},
    "eval": {"message.substitute": "a function of positions; no character of a template is in its code"},
    "compile": {},
    "sys.argv": {},
    "asyncio": {
        "providers.webexconnect.receipt_connections": "the types of uvicorn's connections, to give each a deadline",
        "engine.procrastinate_queue": "runs Procrastinate's worker, which is a coroutine",
        "engine.daemon_threads": "hands what that worker awaits to threads",
        "providers.webexconnect.receipt_server": "a request waits for a commit that it shares, without a thread of its own",
    },
    "multiprocessing": {},
    "socketserver": {},
    "urllib.request": {},
    "http.server": {
        "app.preview": "shows a page to its author on loopback; nobody else connects",
        "app.monitoring.health_server": "one GET of a few bytes, for a probe, with a time limit",
    },
    "http.client": {
        "providers.sandbox.receipt_sender": "stands in for the provider, so that our client is not tested against itself"
    },
    "dataclasses": {},
}
"""What a well-kept library does better, and the modules that may use it all the same, each with its reason."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        yield name.removesuffix(".__init__"), ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def row_of(room: str) -> int:
    return next(number for number, rooms in enumerate(ROWS) if room in rooms)


MODULES = dict(modules())


def ours(name: str) -> set[str]:
    """The modules of ours that a module imports, by their name inside the package."""
    found = set()
    for imported in uses_of(name).imports:
        if imported.startswith("notifyctl."):
            inside = imported.removeprefix("notifyctl.")
            while inside and inside not in MODULES:
                inside = inside.rpartition(".")[0]
            if inside and inside != name:
                found.add(inside)
    return found


@pytest.mark.parametrize("name", [n for n in MODULES if n != "__init__"])
def test_imports_run_downwards(name: str) -> None:
    room = name.partition(".")[0]
    for other in ours(name):
        target = other.partition(".")[0]
        if target != room:
            assert row_of(target) < row_of(room), f"{name} imports {other}, which is not below it"


def test_no_module_takes_part_in_a_cycle() -> None:
    graph = {name: ours(name) for name in MODULES}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join((*trail, name))
        if name not in done:
            for other in graph[name]:
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize(("library", "doors"), DOORS.items())
def test_a_library_has_one_door(library: str, doors: tuple[str, ...]) -> None:
    users = {n for n in MODULES if any(i.partition(".")[0] == library for i in uses_of(n).imports)}
    assert users <= set(doors)


class Uses(NamedTuple):
    """What a module imports, calls and reads of objects, as it is written."""

    imports: frozenset[str]
    calls: frozenset[str]
    attributes: frozenset[str]


@cache
def uses_of(name: str) -> Uses:
    """Each tree is walked once for all tests."""
    tree = MODULES[name]
    nodes = list(ast.walk(tree))
    return Uses(
        frozenset(imports(tree)),
        frozenset(ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)),
        frozenset(ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)),
    )


@pytest.mark.parametrize("name", MODULES)
def test_side_effects_have_one_door(name: str) -> None:
    made = uses_of(name).calls
    if not name.startswith("cli"):
        assert not made & {"print", "click.echo", "sys.stdout.write"}, "only cli speaks to the terminal"
    if name not in {"clock", "deadline"}:
        assert not made & {"datetime.now", "datetime.utcnow", "time.time", "time.sleep", "time.monotonic"}
    if name != "app.environ":
        assert "os.environ" not in uses_of(name).attributes, "one module reads the process environment"


def is_used(machinery: str, name: str) -> bool:
    """As an imported module, a called builtin or an attribute."""
    found = uses_of(name)
    called = machinery in found.calls and machinery in {"exec", "eval", "compile"}
    return called or machinery in found.imports or machinery in found.attributes


@pytest.mark.parametrize(("machinery", "modules"), MACHINERY.items())
def test_machinery_is_left_to_libraries(machinery: str, modules: dict[str, str]) -> None:
    assert {name for name in MODULES if is_used(machinery, name)} == modules.keys()


def test_every_module_says_what_it_owns() -> None:
    assert [name for name, tree in MODULES.items() if not ast.get_docstring(tree)] == []


def test_no_module_hides_behind_an_empty_name() -> None:
    empty = {"utils", "util", "helpers", "common", "manager", "base", "misc"}
    assert [name for name in MODULES if name.rpartition(".")[2] in empty] == []
