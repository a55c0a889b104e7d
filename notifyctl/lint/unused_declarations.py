"""Documents that nothing uses. A template that waits for its notification is checked all the same."""

from __future__ import annotations

from collections.abc import Iterator

from notifyctl.diagnostics import Diagnostic, Positions, Severity
from notifyctl.model.project import Audience, Notification, Policy, Project, Template

SANDBOX_SENDERS = {"sms": "SANDBOX", "email": "sandbox@notifyctl.example", "rcs": "a_000000000000000000"}
"""Senders where none are set: of a sandbox, and of a template that waits for its notification."""


def check_unused(project: Project) -> Iterator[Diagnostic]:
    """Templates, audiences and schedules that no notification uses. None while one that may use them has errors."""
    if project.incomplete:
        return
    users = project.notifications.values()
    templates = {notification.template.name for notification in users}
    audiences = {notification.audience.name for notification in users}
    schedules = {notification.schedule.name for notification in users if notification.schedule}  # "": of none
    for name, template in project.templates.items():
        if name not in templates:
            yield unused_problem("unused-template", "template", name, template.positions)
    for name, audience in project.audiences.items():
        if name not in audiences:
            yield unused_problem("unused-audience", "audience", name, audience.positions)
    for name, schedule in project.schedules.items():
        if name not in schedules:
            yield unused_problem("unused-schedule", "schedule", name, schedule.positions)


def unused_problem(rule: str, kind: str, name: str, positions: Positions) -> Diagnostic:
    message = f"no notification uses {kind} `{name}`"
    hint = "refer to it in a notification, or remove it"
    return Diagnostic(rule, Severity.WARNING, message, positions.location("name"), hint)


def unbound_templates(project: Project) -> list[Template]:
    """Those that no notification uses. With a stand-in for it their texts can be composed and checked."""
    used = {notification.template.name for notification in project.notifications.values()}
    return [template for name, template in project.templates.items() if name not in used]


def stand_in_notification(template: Template) -> Notification:
    nobody = Audience(template.name, template.positions, recipients=())
    sender = SANDBOX_SENDERS[template.channel]
    return Notification(template.name, template, nobody, template.positions, sender=sender, policy=Policy())
