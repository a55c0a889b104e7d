"""What `accept` recorded: text and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from notifyctl.command_line import command_line
from notifyctl.model.accept_statement import AcceptStatement
from notifyctl.model.project import Environment
from notifyctl.plan.series import Accepted
from notifyctl.plurals import pluralise
from notifyctl.ssh_signature import NAMESPACE
from notifyctl.views.colours import Paint
from notifyctl.views.series import acceptance_object, describe_identity, describe_until

FORMAT_VERSION = "1.0"


def as_text(found: Sequence[Accepted], environment: Environment, timezone: str, *, colour: bool) -> str:
    return "\n".join(_lines(found, environment, timezone, Paint(colour)))


def _lines(found: Sequence[Accepted], environment: Environment, timezone: str, paint: Paint) -> Iterator[str]:
    for each in found:
        acceptance = each.acceptance
        what = f"{paint.bold(acceptance.notification)} (edition {acceptance.edition}, {acceptance.channel})"
        if acceptance.revoked:
            yield f"Revoked the acceptance of {what} in `{environment.name}`. `run` and `apply --accepted` do not send it any more."
        else:
            until = describe_until(acceptance.until, timezone)
            yield paint.green(f"Accepted {what} in `{environment.name}` {until}.")
            most = pluralise(acceptance.max_recipients, "recipient")
            yield f"  limit        at most {most} per occurrence; the next one has {each.people or 0:,} as of today"
            if (each.people or 0) > acceptance.max_recipients:
                yield paint.yellow("  ⚠ the next occurrence is above the limit and waits")
        yield f"  {'revoked by' if acceptance.revoked else 'accepted by'}  {describe_identity(acceptance.who)}"
        yield f"  series       {acceptance.fingerprint}"
    if found and found[0].changes:
        yield "Who can accept a series changes with this acceptance:"
        for change in found[0].changes:
            line = f"  {change.key}: {change.before or 'none'} → {change.after or 'none'}"
            yield paint.yellow(f"{line}  ⚠") if change.warns else line
    if any(not each.acceptance.revoked for each in found):
        yield (
            f"To send each occurrence when it is due, keep this running: {command_line('run', env=environment.name)}"
        )
        yield f"To send once what is due now, run: {command_line('apply', '--accepted', env=environment.name)}"


def as_json(found: Sequence[Accepted], environment: Environment) -> str:
    document = {
        "format_version": FORMAT_VERSION,
        "environment": environment.name,
        "acceptances": [{**acceptance_object(each.acceptance), "recipients": each.people} for each in found],
        "rule_changes": [
            {
                "key": change.key,
                "before": change.before,
                "after": change.after,
                "effects": [effect.value for effect in change.effects],
            }
            for change in (found[0].changes if found else ())
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def statement_as_json(statement: AcceptStatement) -> str:
    document = {"format_version": FORMAT_VERSION, "statement": statement.text, "digest": statement.digest}
    return json.dumps(document, indent=2, ensure_ascii=False)


def how_to_sign(statement: AcceptStatement, given: str, until: str, *, env: str) -> str:
    """For standard error, below the statement."""
    signed = ("--until", until, "--max-recipients", str(statement.max_recipients), "--signature", "FILE.sig")
    return (
        f"To sign this, save it to FILE and run: ssh-keygen -Y sign -n {NAMESPACE} -f KEY FILE\n"
        f"Then run: {command_line('accept', given, *signed, env=env)}"
    )
