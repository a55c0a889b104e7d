"""`doctor`: looks at all that an apply, a worker or `run` of an environment needs, sends nothing and changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from stat import S_IRWXG, S_IRWXO

from msgspec import Struct

from notifyctl import __version__
from notifyctl.app.environ import state_folder
from notifyctl.app.ledger import STATE_FOLDER, ledger_path, postgres_store, sqlite_store
from notifyctl.app.monitoring.doctor_network import check_endpoint
from notifyctl.app.providers import is_embedded
from notifyctl.app.workspace import Workspace
from notifyctl.command_line import command_line
from notifyctl.diagnostics import Severity
from notifyctl.errors import NotifyctlError
from notifyctl.model.checks import Check, error, not_checked, ok, warning
from notifyctl.model.project import Environment, Secret
from notifyctl.plurals import pluralise
from notifyctl.secrets import describe_source, read_secret

FREE_SPACE = 500 << 20
"""Bytes free on the ledger's disk below which it is reported: a ledger of a million recipients has about 30 MB."""


class Examination(Struct, frozen=True):
    """The checks of an environment; `environment` is None if the project has errors, so that nothing else could be checked."""

    project: str | None
    environment: str | None
    checks: tuple[Check, ...]


def examine(workspace: Workspace, name: str | None, *, offline: bool = False) -> Examination:
    """Runs every check. `offline`: opens no connection to the provider. Raises UsageError for an unknown environment."""
    found = list(check_configuration(workspace))
    if workspace.project is None or any(each.severity is Severity.ERROR for each in workspace.diagnostics):
        return Examination(workspace.project.name if workspace.project else None, None, tuple(found))
    environment = workspace.environment(name)
    subjects: tuple[tuple[str, Callable[[], Iterable[Check]]], ...] = (
        ("credentials", lambda: check_credentials(workspace, environment)),
        ("state folder", lambda: check_state_folder(workspace, environment)),
        ("ledger", lambda: check_ledger(workspace, environment)),
        ("endpoint", lambda: check_endpoint(workspace, environment, offline=offline)),
        ("senders", lambda: [check_senders(environment)]),
    )
    for subject, find in subjects:
        try:
            found.extend(find())
        except NotifyctlError as problem:
            found.append(error(subject, problem.message, problem.hint))
    return Examination(workspace.sound.name, environment.name, tuple(found))


def check_configuration(workspace: Workspace) -> Iterator[Check]:
    yield ok("program", f"notifyctl {__version__}, Python {platform.python_version()}, {platform.system()}")
    errors = [each for each in workspace.diagnostics if each.severity is Severity.ERROR]
    if workspace.project is None or errors:
        first = f": {errors[0].message}, in {errors[0].location}" if errors else ""
        yield error(
            "configuration",
            f"{pluralise(len(errors), 'error')} in the project{first}",
            f"to list them, run: {command_line('lint')}",
        )
        return
    project = workspace.project
    counts = ", ".join(
        (
            pluralise(len(project.notifications), "notification"),
            pluralise(len(project.audiences), "audience"),
            pluralise(len(project.environments), "environment"),
        )
    )
    warnings = sum(each.severity is Severity.WARNING for each in workspace.diagnostics)
    if warnings:
        yield warning(
            "configuration",
            f"{counts}; {pluralise(warnings, 'warning')}",
            f"to list them, run: {command_line('lint')}",
        )
    else:
        yield ok("configuration", f"{counts} in {workspace.root}")


def check_credentials(workspace: Workspace, environment: Environment) -> Iterator[Check]:
    """Whether each secret that the environment names is there. Quotes none."""
    from notifyctl.providers.webexconnect.auth import read_credentials

    if is_embedded(environment):
        yield ok("credentials", "not needed: the built-in simulator has its own")
    else:
        read_credentials(environment.auth, workspace.environ)
        kind = "a service ID and its secret" if environment.auth.jwt is not None else "a service key"
        yield ok("credentials", f"{kind}, present and well-formed; the provider was not asked")
    for what, secret in other_secrets(workspace, environment):
        try:
            read_secret(secret, workspace.environ, what=what)
        except NotifyctlError as problem:
            yield error("credentials", problem.message, problem.hint)
        else:
            yield ok("credentials", f"{what} is in {describe_source(secret)}")


def other_secrets(workspace: Workspace, environment: Environment) -> Iterator[tuple[str, Secret]]:
    found = [
        ("the URL of the ledger", environment.ledger.url),
        ("the ledger's recipient key", environment.ledger.recipient_key),
        ("the address of the proxy", environment.proxy_secret),
        ("the address for alerts", environment.alerts),
    ]
    lists = (*workspace.sound.suppressions, *environment.suppressions)
    found += [(f"the key of {each.file}", each.key) for each in lists]
    found += [
        (f"the URL of the audience {name}", audience.source.url)
        for name, audience in sorted(workspace.sound.audiences.items())
        if audience.source is not None
    ]
    yield from ((what, secret) for what, secret in found if secret is not None)


def check_state_folder(workspace: Workspace, environment: Environment) -> Iterator[Check]:
    """It keeps the high-water marks of SQLite ledgers; PostgreSQL has its timeline instead."""
    if environment.is_sandbox or environment.ledger.url is not None:
        return
    folder = state_folder(workspace.environ)
    if folder is None:
        yield error(
            "state folder",
            "there is none: a ledger that was lost or restored from a backup would not be noticed",
            "set NOTIFYCTL_STATE_DIR to a persistent folder, separate from the ledger",
        )
    elif not os.access(nearest_folder(folder), os.W_OK | os.X_OK):
        yield error(
            "state folder",
            f"{folder} cannot be written",
            "give this user the right to write there, or set NOTIFYCTL_STATE_DIR to another folder",
        )
    else:
        yield ok("state folder", str(folder))


def nearest_folder(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next((each for each in (folder, *folder.parents) if each.exists()), folder)


def check_ledger(workspace: Workspace, environment: Environment) -> Iterator[Check]:
    if environment.ledger.url is None:
        yield from check_sqlite(workspace, environment)
        return
    store = postgres_store(workspace, environment)
    from notifyctl.app.monitoring.doctor_database import check_database

    yield from check_database(store, workspace.clock)


def check_sqlite(workspace: Workspace, environment: Environment) -> Iterator[Check]:
    path = ledger_path(workspace, environment)
    yield check_space(nearest_folder(path.parent))
    store = sqlite_store(workspace, environment)
    if not store.exists():
        store.refuse_lost()
        if environment.is_sandbox:
            yield ok("ledger", "not there yet: the first apply makes the one of a sandbox")
        else:
            hint = f"to create it (once), run: {command_line('ledger', 'init', env=environment.name)}"
            yield error("ledger", f"environment `{environment.name}` has no ledger", hint)
        return
    with closing(store.reader()) as reader:
        version, serial = reader.facts_version, reader.serial
    if (problem := store.find_error()) is not None:
        yield error("ledger", problem.message, problem.hint)
    else:
        yield ok(
            "ledger",
            f"{path.relative_to(workspace.root)}, schema {version}, {pluralise(serial, 'record')}",
        )
    yield from check_access(path)
    if (holder := store.held_by()) is not None:
        yield ok("ledger lock", f"locked by {holder}")


def check_space(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    text = f"{free / (1 << 30):,.1f} GiB free"
    if free < FREE_SPACE:
        return warning("disk", text, "free disk space: an apply stops when its records cannot be written")
    return ok("disk", text)


def check_access(path: Path) -> Iterator[Check]:
    """Of a SQLite ledger: this user writes, nobody else reads."""
    for each in (path, path.parent):
        if not os.access(each, os.W_OK):
            yield error(
                "permissions",
                f"{each} cannot be written: `apply` and `run` would be refused",
                "run notifyctl as its owner, or give this user the right to write",
            )
            return
    mode = path.stat().st_mode
    if mode & (S_IRWXG | S_IRWXO):
        yield warning(
            "permissions",
            f"other users can read or write {path.name}",
            f"run: chmod 600 {path}",
        )
        return
    yield ok("permissions", f"{STATE_FOLDER} can be written, by this user alone")


def check_senders(environment: Environment) -> Check:
    """No provider so far lists the senders of an account."""
    if is_embedded(environment):
        return ok("senders", "the built-in simulator takes any sender")
    own = ", ".join(f"{channel.value} {sender}" for channel, sender in sorted(environment.senders.items()))
    return not_checked(
        "senders",
        f"{own or 'none in the environment'}; the API of {environment.provider} has no way to ask which senders are registered",
        f"compare them with the account, or send one message to your own address: {command_line('send-test', '--help')}",
    )
