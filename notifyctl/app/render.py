"""The use case of `render`: the message of one address, or of the first few recipients. Reads no ledger."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from msgspec.structs import replace

from notifyctl.app.lint import apply_severities
from notifyctl.app.plan import refuse_unknown
from notifyctl.app.workspace import Workspace, errors_in_project
from notifyctl.audience.addresses import Address, parse_address
from notifyctl.channels.segments import segment_content
from notifyctl.diagnostics import has_errors, sort_diagnostics
from notifyctl.errors import UsageError
from notifyctl.lint.project import Checked, check_project
from notifyctl.message import Filler
from notifyctl.model.message import Message, RenderedMessage
from notifyctl.model.project import ChannelName, Environment, Notification
from notifyctl.model.recipients import RecipientBatch
from notifyctl.plan.samples import known_content
from notifyctl.plan.shared_request import attachment_sizes, shared_request
from notifyctl.recipients.values import VariantIndex, resolve_columns


def render(
    workspace: Workspace, environment: Environment, name: str, *, recipient: str | None, sample: int
) -> list[RenderedMessage]:
    """Raises UsageError for an unknown notification or an address that is not in its audience."""
    project = workspace.sound
    refuse_unknown((name,), project)
    checked = check_project(
        project,
        environment=environment,
        files=workspace.files,
        only=(name,),
        environ=workspace.environ,
    )
    problems = sort_diagnostics(apply_severities(workspace, project.lint, checked.diagnostics))
    if has_errors(problems):
        raise errors_in_project(problems)
    notification = project.notifications[name]
    everyone = render_recipient(
        notification, checked, project.locale, wanted=normalise_address(notification.channel, recipient)
    )
    found = list(islice(everyone, sample if recipient is None else 1))
    if recipient is not None and not found:
        raise UsageError(
            f"audience `{notification.audience.name}` has no recipient with that address for {notification.channel}"
        )
    return found


def normalise_address(channel: ChannelName, text: str | None) -> Address | None:
    if text is None:
        return None
    try:
        return parse_address(text, channel)
    except ValueError as error:
        raise UsageError(f"--recipient: {error}") from error


def render_recipient(
    notification: Notification, checked: Checked, locale: str, *, wanted: Address | None
) -> Iterator[RenderedMessage]:
    messages = checked.messages[notification.name]
    variants = VariantIndex(notification.template, locale)
    fillers = {
        variant: (Filler(message), Filler(replace(message, content=message.options)))
        for variant, message in messages.items()
    }
    names = {name for message in messages.values() for name in message.names}
    for batch in checked.audiences[notification.name].batches(notification.channel, names):
        for position, key in enumerate(batch.addresses):
            if wanted is None or key == wanted.key:
                variant = variants.variant(batch.locales[position])
                yield render_one(notification, messages[variant], fillers[variant], batch, position)


def render_one(
    notification: Notification,
    message: Message,
    fillers: tuple[Filler, Filler],
    batch: RecipientBatch,
    position: int,
) -> RenderedMessage:
    values = [column[0] for column in resolve_columns(message, batch.values, [position])]
    missing = tuple(name for name, value in zip(message.names, values, strict=True) if value is None)
    # A placeholder without a value stays visible.
    filled = [
        f"$({name})" if value is None else value for name, value in zip(message.names, values, strict=True)
    ]
    filler, options_filler = fillers
    content = known_content(message, filled) if message.opaque else filler.content(filled)
    sms = segment_content(content) if message.channel is ChannelName.SMS else None
    return RenderedMessage(
        notification=notification.name,
        channel=message.channel,
        sender=message.sender,
        destination=batch.destinations[position],
        locale=message.locale,
        content=content,
        options=options_filler.content(filled),
        values=dict(zip(message.names, filled, strict=True)),
        missing=missing,
        encoding=sms.encoding if sms else None,
        units=sms.units if sms else None,
        segments=sms.segments if sms else None,
        request=shared_request(notification, message),
        sizes=attachment_sizes(notification, message.locale),
    )
