"""Reads a saved plan's document back into a plan that views can draw. It lacks what only apply needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from notifyctl.diagnostics import Diagnostic, Location, Severity
from notifyctl.errors import PlanRefusedError
from notifyctl.model.project import ChannelName
from notifyctl.plan.actions import Action
from notifyctl.plan.model import Cost, LeftOutOf, Plan, PlannedNotification, Reach, Sample
from notifyctl.plan.saved import SavedPlan


def to_plan(saved: SavedPlan) -> Plan:
    """Raises PlanRefusedError if the public part of the file is damaged."""
    document = saved.document
    try:
        return Plan(
            project=document["project"],
            environment=saved.environment,
            provider=saved.provider,
            lineage=saved.lineage,
            as_of=datetime.fromisoformat(document["as_of"]),
            valid_until=saved.valid_until,
            complete=document["complete"],
            digest=saved.digest,
            notifications=tuple(describe_planned(each) for each in document["notifications"]),
            later=tuple(
                (each["name"], each["occurrence"], datetime.fromisoformat(each["due"]))
                for each in document["later"]
            ),
            diagnostics=tuple(diagnostic(each) for each in document["diagnostics"]),
            send_groups=(),
            openings=(),
            effects=saved.effects,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PlanRefusedError("the plan file is damaged", hint="plan again") from error


def describe_planned(each: Mapping[str, Any]) -> PlannedNotification:
    return PlannedNotification(
        name=each["name"],
        channel=ChannelName(each["channel"]),
        edition=each["edition"],
        occurrence=each["occurrence"],
        category=each["category"],
        sender=each["from"],
        template=each["template"],
        audience=each["audience"]["name"],
        opaque=each["opaque"],
        rows=each["audience"]["rows"],
        rejected_rows=each["audience"]["rejected_rows"],
        actions={Action(action): count for action, count in each["actions"].items()},
        reasons={Action(action): reasons for action, reasons in each["reasons"].items()},
        segments=each["segments"],
        texts=each["texts"],
        due=moment(each["due"]),
        deferred_until=moment(each["deferred_until"]),
        expires=moment(each["expires"]),
        cost=Cost(**each["cost"]) if each["cost"] else None,
        samples=tuple(sample(entry) for entry in each["samples"]),
        costs=tuple(Cost(**entry) for entry in each["costs"]),
        reach=tuple(Reach(**entry) for entry in each["reach"]),
        content_hash=each["content_hash"] or "",
        left_out=tuple(LeftOutOf(**entry) for entry in each.get("left_out", ())),
    )


def sample(each: Mapping[str, Any]) -> Sample:
    return Sample(
        recipient=each["recipient"],
        count=each["count"],
        action=Action(each["action"]),
        locale=each["locale"],
        content=each["content"],
        segments=each["segments"],
        why=tuple(each["why"]),
    )


def diagnostic(each: Mapping[str, Any]) -> Diagnostic:
    place = Location(each["file"], each["line"] or 0, each["column"] or 0)
    return Diagnostic(each["rule"], Severity(each["severity"]), each["message"], place, each["hint"])


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
