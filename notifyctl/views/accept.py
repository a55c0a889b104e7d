"""What `accept` recorded: text and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from notifyctl.command_line import command_line
from notifyctl.model.project import Environment
from notifyctl.plan.series import Accepted
from notifyctl.plurals import pluralise
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
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
