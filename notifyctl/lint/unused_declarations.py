"""Documents that nothing uses. A template that waits for its notification is checked all the same."""

from __future__ import annotations

from collections.abc import Iterator

from notifyctl.diagnostics import Diagnostic, Positions, Severity
from notifyctl.model.project import Audience, Notification, Policy, Project, Template


def check_unused(project: Project) -> Iterator[Diagnostic]:
    """Templates, audiences and schedules that no notification names."""
    users = project.notifications.values()
    templates = {notification.template.name for notification in users}
    audiences = {notification.audience.name for notification in users}
    schedules = {notification.schedule.name for notification in users if notification.schedule}
    for name, template in project.templates.items():
        if name not in templates:
            yield unused_problem("unused-template", "Template", name, template.positions)
    for name, audience in project.audiences.items():
        if name not in audiences:
            yield unused_problem("unused-audience", "Audience", name, audience.positions)
    for name, schedule in project.schedules.items():
        if name not in schedules:
            yield unused_problem("unused-schedule", "Schedule", name, schedule.positions)


def unused_problem(rule: str, kind: str, name: str, positions: Positions) -> Diagnostic:
    message = f"no notification uses the {kind} {name!r}"
    return Diagnostic(
        rule, Severity.WARNING, message, positions.location("name"), "remove it, or name it in a notification"
    )


def unbound_templates(project: Project) -> list[Template]:
    """Those that no notification uses. With a stand-in for it their texts can be composed and checked."""
    used = {notification.template.name for notification in project.notifications.values()}
    return [template for name, template in project.templates.items() if name not in used]


def stand_in_notification(template: Template) -> Notification:
    nobody = Audience(template.name, template.positions, recipients=())
    return Notification(
        template.name, template, nobody, template.positions, sender="STANDIN", policy=Policy()
    )
