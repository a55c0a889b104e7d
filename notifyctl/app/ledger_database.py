"""What only a ledger in a database has: it is filled from a SQLite ledger, and its schema is upgraded on request."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from notifyctl.app.ledger import (
    actor_of,
    external_key,
    high_water_marks,
    holder,
    ledger_name,
    ledger_path,
    postgres_store,
    sandbox_identity,
)
from notifyctl.app.workspace import Workspace
from notifyctl.command_line import command_line
from notifyctl.errors import LedgerError, SettingsError
from notifyctl.model.project import Environment


class Copied(Struct, frozen=True):
    """What was copied, from which file, and where it is now."""

    records: int
    source: Path
    place: str
    lineage: str


class Upgraded(Struct, frozen=True):
    """The steps that were applied, by name, and the schema that the ledger has now."""

    steps: tuple[str, ...]
    schema: int
    place: str


def copy_ledger(workspace: Workspace, environment: Environment, source: Path | None = None) -> Copied:
    """Copies the environment's SQLite ledger, or that in `source`, into its database, after which nothing uses the file.

    Raises SettingsError without `ledger.urlEnv`, and LedgerError if there is no such ledger, if the database has one already, or if
    the copy differs. Nothing is kept then.
    """
    refuse_without_database(environment)
    from notifyctl.ledger.postgresql.copying import copy_facts
    from notifyctl.ledger.reader import identify_ledger
    from notifyctl.ledger.sqlite.moving import hand_over
    from notifyctl.ledger.sqlite.store import SqliteStore

    path = source or ledger_path(workspace, environment)
    if not path.is_file():
        raise LedgerError(
            f"there is no ledger to copy: {path} does not exist",
            hint=f"for an environment that sent nothing yet, run: {command_line('ledger', 'init', env=environment.name)}",
        )
    key = external_key(environment, workspace.environ)
    store = SqliteStore(
        path,
        clock=workspace.clock,
        external_key=key,
        fixed=sandbox_identity(workspace, environment),
        marks=high_water_marks(workspace, environment),
    )
    with postgres_store(workspace, environment).filling() as target:
        handing_over = hand_over(
            store, path, target.name, holder=holder(), actor=actor_of(workspace), clock=workspace.clock
        )
        with handing_over as facts:
            identity = identify_ledger(facts, key)
            records = copy_facts(
                facts,
                target,
                identity=identity,
                name=ledger_name(workspace.sound, environment),
                at=workspace.clock.now(),
            )
        place = target.name
    return Copied(records, path, place, identity.lineage)


def upgrade_ledger(workspace: Workspace, environment: Environment) -> Upgraded:
    """Applies the steps of the schema that the environment's database lacks."""
    refuse_without_database(environment)
    from notifyctl.ledger.postgresql import migrations

    with postgres_store(workspace, environment).session() as database:
        with database.session() as connection:
            steps = migrations.migrate(connection)
            schema = migrations.current(connection).number
        return Upgraded(tuple(step.name for step in steps), schema, database.name)


def refuse_without_database(environment: Environment) -> None:
    if environment.ledger.url is None:
        raise SettingsError(
            f"the ledger of environment `{environment.name}` is a file, not a database",
            hint="to use PostgreSQL, set `ledger: {urlEnv: LEDGER_URL}` in the environment",
        )
