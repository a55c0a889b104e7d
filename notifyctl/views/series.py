"""The series of a recurring notification, and who accepted it: text and JSON. What a claimed name is worth is said wherever one stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from notifyctl.command_line import command_line
from notifyctl.model.accept_rule import AcceptBy, AcceptRule
from notifyctl.model.acceptance import Acceptance, Identity, Proof
from notifyctl.plan.model import PlannedNotification
from notifyctl.plan.series import CHANGED, OF_OCCURRENCES, UNKNOWN, Series, SeriesChange
from notifyctl.plurals import pluralise
from notifyctl.schedule.moments import format_time
from notifyctl.schedule.zones import to_local
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.reasons import short_fingerprint, spell_out

PROOFS = {
    Proof.OIDC: "proven by a token of",
    Proof.SIGNATURE: "proven by a signature with key",
}
CLAIMED = "claimed, not proven: anyone who can run notifyctl here can use this name"


def describe_series(series: Series, timezone: str, *, env: str | None = None) -> Iterator[str]:
    """The fingerprint; then by whom, until when and for how many it is accepted, or what is missing and how to accept it. `env`: for a
    command that is read elsewhere.
    """
    yield f"Series: {series.fingerprint}"
    if series.acceptance is not None:
        yield describe_acceptance(series.acceptance, timezone)
        return
    if series.missing is None:
        return
    missing = spell_out(series.missing)
    if series.missing == UNKNOWN:
        yield missing
        return
    if series.missing.startswith(CHANGED) and series.former is not None:
        yield f"{missing}; before, {describe_acceptance(series.former, timezone)}"
    else:
        yield f"not sent by `run` or `apply --accepted`: {missing}"
    yield f"to accept it, run: {accept_command(series.fingerprint, env=env)}"
    yield from describe_rule(series.rule)


def accept_command(fingerprint: str, *, env: str | None = None) -> str:
    return command_line("accept", fingerprint, "--until", "YYYY-MM-DD", env=env, elsewhere=env is not None)


def describe_rule(rule: AcceptRule) -> Iterator[str]:
    """What `policy.accept` asks of who accepts; nothing if it lets anyone. The rule of the last acceptance can ask for more."""
    if rule.by is AcceptBy.ANOTHER:
        most = (
            f", if it has more than {pluralise(rule.above, 'recipient')} per occurrence" if rule.above else ""
        )
        proof = ", and proves it by an ID token or a signature" if rule.proven else ""
        yield f"`policy.accept`: by a person who committed to none of its files since it was last accepted{proof}{most}"


def describe_acceptance(acceptance: Acceptance, timezone: str) -> str:
    most = pluralise(acceptance.max_recipients, "recipient")
    return (
        f"accepted {describe_until(acceptance.until, timezone)} by {describe_identity(acceptance.who)},"
        f" at most {most} per occurrence"
    )


def acceptance_lines(acceptances: Sequence[Acceptance], timezone: str, paint: Paint) -> Iterator[str]:
    """A section with one line for each, in the order given; nothing without acceptances."""
    if acceptances:
        yield paint.bold("Acceptances")
    for each in acceptances:
        what = f"{each.notification} ({each.channel}, edition {each.edition}, {short_fingerprint(each.fingerprint)})"
        if each.revoked:
            said = f"revoked by {describe_identity(each.who)}"
        else:
            said = describe_acceptance(each, timezone)
        yield f"  {format_time(each.at)}  {what}: {said}"


def describe_identity(who: Identity) -> str:
    """The name, and what it is worth."""
    name = strip_controls(who.name)
    if who.proof is Proof.CLAIMED:
        return f"{name} ({CLAIMED})"
    return f"{name} ({PROOFS[who.proof]} {strip_controls(who.detail)})"


def describe_until(until: datetime, timezone: str) -> str:
    """`until the end of 2026-12-31` where that is the moment; `until 2026-12-31 09:00 Europe/Paris (08:00 UTC)` otherwise."""
    local = to_local(until, timezone)
    if local.time() == time.min:
        return f"until the end of {local.date() - timedelta(days=1)}"
    return f"until {format_time(until, timezone)}"


def describe_waits(planned: PlannedNotification) -> str | None:
    """Why an occurrence of an accepted series is not sent by it; what the whole series lacks is said of the series."""
    if planned.waits is None or not planned.waits.startswith(OF_OCCURRENCES):
        return None
    return f"not sent by `run` or `apply --accepted`: {spell_out(planned.waits)}"


def describe_broken(change: SeriesChange) -> str:
    """What a change of the files does to the acceptance of a series."""
    before, after = map(short_fingerprint, (change.before, change.after))
    if change.acceptance is None:
        return (
            f"another series, {before} → {after}; if {before} is accepted, this change needs a new acceptance"
        )
    accepted = describe_acceptance(change.acceptance, change.timezone)
    return (
        f"another series, {before} → {after}; {before} is {accepted}, and this change needs a new acceptance"
    )


def broken_object(change: SeriesChange) -> dict[str, Any]:
    return {
        "name": change.name,
        "before": change.before,
        "after": change.after,
        "acceptance": acceptance_object(change.acceptance) if change.acceptance is not None else None,
    }


def series_object(series: Series) -> dict[str, Any]:
    return {
        "name": series.name,
        "channel": series.channel.value,
        "edition": series.edition,
        "fingerprint": series.fingerprint,
        "parts": dict(series.parts),
        "acceptance": acceptance_object(series.acceptance) if series.acceptance is not None else None,
        "missing": series.missing,
        "former": acceptance_object(series.former) if series.former is not None else None,
        "rule": rule_object(series.rule),
    }


def rule_object(rule: AcceptRule) -> dict[str, Any]:
    return {"by": rule.by.value, "above": rule.above, "proven": rule.proven}


def acceptance_object(acceptance: Acceptance) -> dict[str, Any]:
    """Without the evidence, which `ledger export` has."""
    return {
        "fingerprint": acceptance.fingerprint,
        "notification": acceptance.notification,
        "edition": acceptance.edition,
        "channel": acceptance.channel.value,
        "until": acceptance.until.isoformat(),
        "max_recipients": acceptance.max_recipients,
        "who": {
            "name": acceptance.who.name,
            "proof": acceptance.who.proof.value,
            "detail": acceptance.who.detail,
        },
        "rule": rule_object(acceptance.rule),
        "revision": acceptance.revision,
        "at": acceptance.at.isoformat(),
        "revoked": acceptance.revoked,
    }
