"""Checks templates that no notification uses, each on its own with a stand-in notification."""

from __future__ import annotations

from collections.abc import Iterator

from notifyctl.diagnostics import Diagnostic
from notifyctl.lint.advice import advise_on
from notifyctl.lint.project import compose_all
from notifyctl.lint.unused_declarations import stand_in_notification, unbound_templates
from notifyctl.lint.unused_values import check_names
from notifyctl.model.project import Environment, Notification, Project
from notifyctl.ports import FileTree


def check_unbound(project: Project, *, environment: Environment, files: FileTree) -> list[Diagnostic]:
    """All diagnostics of the templates that no notification uses, unsorted."""
    return [
        each
        for notification in map(stand_in_notification, unbound_templates(project))
        for each in check_one(project, notification, environment=environment, files=files)
    ]


def check_one(
    project: Project, notification: Notification, *, environment: Environment, files: FileTree
) -> Iterator[Diagnostic]:
    """The diagnostics of one template under its stand-in `notification`."""
    messages, problems = compose_all(project, notification, environment=environment, files=files, columns=())
    yield from problems
    yield from check_names(notification, messages)
    yield from advise_on(notification, messages, environment=environment, timezone=project.timezone)
