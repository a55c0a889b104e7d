"""What lint says beyond what a plan refuses: the API's advice, what we infer, what costs or leaks. Of the files only; people are
looked at in `recipients.py` and `crowd.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from notifyctl.channels import CHANNELS
from notifyctl.diagnostics import Diagnostic
from notifyctl.lint.audience_checks import shared_values
from notifyctl.lint.envelope import check_envelope, check_environments
from notifyctl.lint.foreign_values import foreign_values
from notifyctl.lint.gap_checks import check_locales
from notifyctl.lint.profile_keys import check_profile
from notifyctl.lint.project import Checked
from notifyctl.lint.receipt_checks import check_receipts
from notifyctl.lint.secrets_scan import check_leaks
from notifyctl.lint.unused_values import check_values
from notifyctl.message import locate_text
from notifyctl.model.message import Message
from notifyctl.model.project import Environment, Notification, Project
from notifyctl.ports import FileTree


def advise(
    project: Project, checked: Checked, *, environment: Environment, files: FileTree
) -> Iterator[Diagnostic]:
    """`checked` is what `check_project` gave for the whole project."""
    yield from check_environments(project)
    yield from check_locales(project)
    yield from check_leaks(files)
    yield from check_values(checked)
    profiles = {each.profile for each in project.environments.values()}
    for notification, messages in checked.drafts:
        yield from advise_on(notification, messages, environment=environment, timezone=project.timezone)
        yield from check_receipts(notification, messages, environment.profile, profiles=profiles)


def advise_on(
    notification: Notification,
    messages: Mapping[str | None, Message],
    *,
    environment: Environment,
    timezone: str,
) -> Iterator[Diagnostic]:
    """Of one notification by itself; `messages` are the variants that could be composed."""
    yield from check_envelope(notification, messages, environment, timezone=timezone)
    yield from check_profile(notification, messages, environment)
    yield from shared_values(notification)
    yield from foreign_values(notification, messages)
    channel = CHANNELS[notification.channel]
    for variant, message in messages.items():
        if message.content is not None:
            for problem in channel.advise(message.content, message.options, profile=environment.profile):
                yield problem.at_location(locate_text(notification, variant, problem.path))
