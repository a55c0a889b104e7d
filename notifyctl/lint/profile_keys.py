"""Keys of a notification that one profile of the API has and the other lacks, in the environment at hand. Content and options of a
composed message are checked by its channel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from notifyctl.channels import CHANNELS
from notifyctl.channels.channel import shape_problems
from notifyctl.channels.email import LINE_BREAK
from notifyctl.config.check import wrong_profile
from notifyctl.config.fields import NEWER
from notifyctl.config.kinds.notification import envelope_fields
from notifyctl.config.kinds.template import REMOTE_EMAIL
from notifyctl.diagnostics import Diagnostic, Path
from notifyctl.message import position_finder
from notifyctl.model.message import Message
from notifyctl.model.project import Environment, HandOff, Notification
from notifyctl.rulebook import email, envelope


def check_profile(
    notification: Notification, messages: Mapping[str | None, Message], environment: Environment
) -> Iterator[Diagnostic]:
    """`messages` are the variants that could be composed."""
    positions = notification.positions
    for field in envelope_fields([channel.shape for channel in CHANNELS.values()]):
        if field.profile not in {None, environment.profile} and positions.has(field.name):
            yield wrong_profile(field, (field.name,), environment.profile).at(positions)
    yield from check_remote(notification, messages, environment)
    if environment.profile == NEWER:
        yield from check_newer(notification)


def check_newer(notification: Notification) -> Iterator[Diagnostic]:
    positions = notification.positions
    if notification.notify_url_auth_id is not None and notification.notify_url is None:
        message = "`notifyUrlAuthId` has no effect without `notifyUrl`"
        hint = "add `notifyUrl: https://…`, or remove `notifyUrlAuthId`"
        yield envelope.AUTH_WITHOUT_URL.broken(("notifyUrlAuthId",), message, hint).at(positions)
    schedule = notification.schedule
    if notification.batch_id is not None and (schedule is None or schedule.hand_off is not HandOff.PROVIDER):
        message = "`batchId` has no effect: notifyctl holds the message until it is due"
        hint = "set `handOff: provider` in the schedule, or remove `batchId`"
        yield envelope.BATCH_ID_UNUSED.broken(("batchId",), message, hint).at(positions)
    if notification.priority is not None:
        message = "`priority` is not documented in profile 6.20; the provider may ignore it"
        yield envelope.PRIORITY_UNDOCUMENTED.broken(("priority",), message, "remove it").at(positions)


def check_remote(
    notification: Notification, messages: Mapping[str | None, Message], environment: Environment
) -> Iterator[Diagnostic]:
    """A template stored at the provider: its options, and the subject in place of its own."""
    if notification.template.remote_id is None:
        return
    template = notification.template.positions
    path: Path = ("template", "subject")
    subject = next((field for field in REMOTE_EMAIL.fields if field.name == "subject"), None)
    if subject is not None and notification.template.remote_subject is not None:
        if subject.profile != environment.profile:
            yield wrong_profile(subject, path, environment.profile).at(template)
        elif any(LINE_BREAK.search(each.template_subject or "") for each in messages.values()):
            message = "`template.subject` must be one line"
            yield email.ONE_LINE.broken(path, message, "write it in quotes on one line").at(template)
    shape = CHANNELS[notification.channel].shape.options
    for variant, each in messages.items():
        find = position_finder(notification, variant)
        for problem in shape_problems(shape, each.options, ("options",), profile=environment.profile):
            yield replace(problem, at_key=False).at(find(problem.path))
