"""Plan files: sealed under the ledger's key when they are written, and checked by `show` and `apply`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from uuid import uuid4

from notifyctl import strict_json
from notifyctl.app.account import account_of
from notifyctl.app.ledger import facts_of
from notifyctl.app.outputs import Outputs
from notifyctl.app.workspace import Workspace
from notifyctl.command_line import command_line
from notifyctl.errors import NotifyctlError, PlanRefusedError, UsageError
from notifyctl.files import open_regular
from notifyctl.model.project import Environment
from notifyctl.plan.model import Plan
from notifyctl.plan.saved import SavedPlan, build_document, read_saved
from notifyctl.views.plan import public_plan

MOST_BYTES = 1 << 30
"""The largest plan file that is read: ten million recipients."""


def save_plan(
    workspace: Workspace, environment: Environment, plan: Plan, out: Path, outputs: Outputs
) -> None:
    """Writes a plan file. A plan without the ledger is not sealed, and apply refuses it.

    Raises UsageError if the file cannot be written, and LedgerError.
    """
    plan_id, public = str(uuid4()), public_plan(plan)
    if plan.complete:
        with facts_of(workspace, environment) as facts:
            assert facts.code is not None
            account = account_of(workspace, environment, facts.code)
            document = build_document(
                public, plan, plan_id=plan_id, account=account.hex() if account else None, code=facts.code
            )
    else:
        document = build_document(public, plan, plan_id=plan_id, account=None, code=None)
    outputs.write(out, [json.dumps(document, indent=1, ensure_ascii=False), "\n"])


def is_plan_file(file: Path) -> bool:
    """Whether a file is a saved plan, of this or an earlier format."""
    try:
        if file.stat().st_size > MOST_BYTES:
            return False
        document = strict_json.parse(file.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and {"format_version", "plan_id", "authorised"} <= document.keys()


def read_plan_file(file: Path) -> SavedPlan:
    """Reads a saved plan; its seal is not checked. Raises UsageError if the file cannot be read, PlanRefusedError if it is
    no plan.
    """
    try:
        with open_regular(str(file)) as stream:
            size = os.fstat(stream.fileno()).st_size
            data = stream.read() if size <= MOST_BYTES else None
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    if data is None:
        raise PlanRefusedError(f"{file} is too large for a saved plan: more than {MOST_BYTES >> 20:,} MiB")
    try:
        document = strict_json.parse(data)
    except ValueError:
        document = None
    return read_saved(document)


def check_seal(saved: SavedPlan, workspace: Workspace) -> str | None:
    """Checks a file's seal by the ledgers of this project; returns why it could not be checked, or None if it was.

    Raises PlanRefusedError if the ledger that it names is here, and it is not what was written with it.
    """
    typed = saved.typed
    if typed.mac is None and typed.ledger is None and not typed.complete:
        return "it was made without the ledger, and cannot be applied"
    named = False
    for environment in workspace.sound.environments.values():
        try:
            with facts_of(workspace, environment, strict=False) as facts:
                if facts.code is None or not {environment.name, facts.lineage} & {
                    typed.environment,
                    typed.ledger,
                }:
                    continue
                named = True
                if environment.name == typed.environment and saved.is_sealed_by(facts.code):
                    return None
        except NotifyctlError as error:
            if environment.name == typed.environment:
                return error.message
    if not named:
        return "its ledger is not here"
    raise PlanRefusedError(
        "the plan file was changed after it was written, or made with another ledger than the one found here",
        hint=f"to make a new plan, run: {command_line('plan', '--out', 'FILE')}",
    )
