"""The provider's account as a keyed hash of its service ID: what a plan file and a ledger keep of it, where it is known."""

from __future__ import annotations

from notifyctl.app.ledger import open_reader
from notifyctl.app.workspace import Workspace
from notifyctl.command_line import command_line
from notifyctl.errors import LedgerError, PlanRefusedError, SettingsError
from notifyctl.model.ledger import Purpose
from notifyctl.model.project import Environment
from notifyctl.plan.saved import Code, SavedPlan
from notifyctl.secrets import read_secret

HASH_BYTES = 16


def account_of(workspace: Workspace, environment: Environment, code: Code) -> bytes | None:
    """The hash of the account that messages are sent with. None for a sandbox, for a service key, which can be renewed and
    names no account, and where the service ID is not known: a plan needs no secret.
    """
    jwt = environment.auth.jwt
    if environment.is_sandbox or jwt is None:
        return None
    try:
        service_id = read_secret(jwt.service_id, workspace.environ, what="the service ID")
    except SettingsError:
        return None
    return code(Purpose.ACCOUNT, service_id.encode())[:HASH_BYTES]


def known_account(workspace: Workspace, environment: Environment) -> bytes:
    """The hash of the account for the ledger to take. Raises SettingsError where no account is known, and LedgerError."""
    with open_reader(workspace, environment) as reader:
        account = account_of(workspace, environment, reader.code)
    if account is None:
        raise SettingsError(
            f"unknown account of environment `{environment.name}`: the service ID of `auth.jwt` is not set here",
            hint="set the variable or file that `serviceIdEnv` or `serviceIdFile` names; a service key does not identify an account",
        )
    return account


def refuse_other_account(
    account: bytes | None, *, known: bytes | None, saved: SavedPlan | None, environment: Environment
) -> None:
    """`known`: the account that the ledger was last sent with. Raises LedgerError for another one, and PlanRefusedError if
    `saved` was made for another one.
    """
    if account is None:
        return
    if known not in {None, account}:
        raise LedgerError(
            f"environment `{environment.name}` was last sent with another account (service ID); nothing was sent",
            hint="check the credentials. To change the account on purpose, run:"
            f" {command_line('ledger', 'adopt', '--account', env=environment.name)}",
        )
    planned = saved.typed.account if saved is not None else None
    if planned not in {None, account.hex()}:
        raise PlanRefusedError(
            "the plan was made for another account (service ID); nothing was sent",
            hint=f"check the credentials. To make a new plan with these, run: {command_line('plan', '--out', 'FILE')}",
        )
