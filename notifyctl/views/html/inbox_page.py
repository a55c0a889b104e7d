"""The sandbox's inbox as a page: what the simulator accepted, as recipients see it, the newest first. Addresses are masked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from msgspec import Struct

from notifyctl.audience.addresses import mask
from notifyctl.channels.parts import Carried
from notifyctl.channels.segments import is_unicode
from notifyctl.model.project import ChannelName
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.html import mail
from notifyctl.views.html.bubble import SmsText, sms
from notifyctl.views.html.changed_words import Run
from notifyctl.views.html.icons import CHANNELS, channel_icon
from notifyctl.views.html.mail import MailView
from notifyctl.views.html.markup import Child, Html, el
from notifyctl.views.html.part_rows import row_list
from notifyctl.views.html.preview_model import Badge, Tone
from notifyctl.views.html.rcs_phone import Drawing, button_targets
from notifyctl.views.html.section import Budget, badge_list, has_fallback
from notifyctl.views.html.shell import Filter, bar, document, nothing_matches, rail, skip_link
from notifyctl.views.inbox import carried_by, mask_text

MAIL_BYTES = 6_000_000
"""Bytes of e-mails that the page draws, the newest first."""
TEASER = 60
"""Characters of a message in the list."""
STATES = {
    "submitted": Badge("Submitted", Tone.INFO),
    "delivered": Badge("Delivered", Tone.NEW),
    "read": Badge("Read", Tone.NEW),
}
"""Receipts by name, in words. A message without one is "Accepted"."""
ACCEPTED = Badge("Accepted")
UNPOSTED = Badge("Receipt not accepted", Tone.WARN)
"""The `notifyUrl` did not answer 200."""


class Origin(Struct, frozen=True):
    """What a ledger on this machine knows of a message: its notification, and the number of the run."""

    notification: str
    run: int


class PostedReceipt(Struct, frozen=True):
    """A receipt that the sandbox posted. `taken`: the `notifyUrl` answered 200."""

    status: str
    at: datetime
    taken: bool = True


class InboxMessage(Struct, frozen=True):
    """One accepted message. `number`: its place in the inbox, from 1, which is its address on the page."""

    number: int
    entry: Mapping[str, Any]
    at: datetime
    origin: Origin | None = None
    receipts: tuple[PostedReceipt, ...] = ()

    @property
    def key(self) -> str:
        return f"m{self.number}"

    @property
    def channel(self) -> ChannelName:
        return ChannelName(str(self.entry.get("channel", "sms")))

    @property
    def recipient(self) -> str:
        return mask(str(self.entry.get("to", "")))

    @property
    def name(self) -> str:
        return self.origin.notification if self.origin else "unknown notification"

    @property
    def state(self) -> Badge:
        if any(not each.taken for each in self.receipts):
            return UNPOSTED
        known = [each.status for each in self.receipts]
        last = next((status for status in reversed(STATES) if status in known), None)
        return STATES[last] if last else ACCEPTED

    @property
    def masked(self) -> dict[str, Any]:
        return mask_text(self.entry)

    @property
    def carried(self) -> Carried:
        return carried_by(self.masked)


class Inbox(Struct, frozen=True):
    """What the page is about. `messages`: in order of arrival; `total`: with older ones that it does not show."""

    project: str
    zone: tzinfo
    zone_name: str
    messages: Sequence[InboxMessage]
    total: int


def inbox_page(inbox: Inbox) -> str:
    """The page. It polls its own server, and shows new messages when the reader wants them."""
    newest = list(reversed(inbox.messages))
    budget = Budget(MAIL_BYTES)
    letters = [letter(inbox, each, budget) for each in newest]
    return document(
        title=f"{inbox.project}: sandbox inbox",
        styles=["page.css", "inbox.css"],
        scripts=["page.js", "inbox.js"],
        mails=(markup for each in newest if (markup := mail.markup_of(each.carried)) is not None),
        connects=True,
        body=[
            skip_link("Skip to the messages"),
            bar(
                inbox.project,
                ["sandbox inbox"],
                search="Search recipients and texts",
                beside=el("p", "Live", class_="live", role="status"),
            ),
            el(
                "div",
                rail(
                    "Find a message",
                    "Filters",
                    None,
                    list(filters(newest)),
                    total=len(newest),
                    what="messages",
                ),
                el(
                    "main",
                    heading(inbox),
                    nothing_matches("message"),
                    el(
                        "div",
                        el(
                            "section",
                            fresh_button(),
                            *runs(inbox, newest),
                            class_="list",
                            aria_label="Messages",
                        ),
                        el("div", *letters, class_="letters"),
                        class_="mailbox",
                    )
                    if newest
                    else empty(),
                    id="ui:main",
                    tabindex="-1",
                    data_messages=str(inbox.total),
                ),
                class_="shell",
            ),
        ],
    )


def heading(inbox: Inbox) -> Html:
    lede = "The newest message is on top. No real messages were sent."
    if inbox.total > len(inbox.messages):
        lede = f"The newest {len(inbox.messages):,} are shown. No real messages were sent."
    title = pluralise(inbox.total, "message") if inbox.total else "The inbox is empty"
    return el(
        "section",
        el("header", el("h1", title, id="ui:title"), el("p", lede, class_="lede")),
        class_="summary",
        aria_labelledby="ui:title",
    )


def empty() -> Html:
    return el(
        "section",
        fresh_button(),
        el("h2", "No messages yet"),
        el(
            "p",
            "To send some, run ",
            el("code", "notifyctl apply"),
            " in the project. Each message is shown here.",
        ),
        class_="empty first",
    )


def fresh_button() -> Html:
    return el("button", "Show new messages", class_="fresh", type="button", hidden=True)


def filters(newest: Sequence[InboxMessage]) -> Iterator[Filter]:
    yield Filter("status", "Receipt", [(each.state.code, each.state.label) for each in newest])
    yield Filter("channel", "Channel", [(each.channel.value, CHANNELS[each.channel]) for each in newest])
    yield Filter("notification", "Notification", [(code(each.name), each.name) for each in newest])


def code(name: str) -> str:
    return name.replace(" ", "-")


def runs(inbox: Inbox, newest: Iterable[InboxMessage]) -> Iterator[Html]:
    """The list, a group for each run and day."""
    groups: dict[str, list[InboxMessage]] = {}
    for each in newest:
        groups.setdefault(group_of(inbox, each), []).append(each)
    for number, (title, members) in enumerate(groups.items(), start=1):
        identifier = f"ui:run-{number}"
        yield el("h2", title, id=identifier)
        yield el("ol", *(row(inbox, each) for each in members), aria_labelledby=identifier)


def group_of(inbox: Inbox, message: InboxMessage) -> str:
    day = f"{message.at.astimezone(inbox.zone):%Y-%m-%d}"
    return f"Run {message.origin.run} · {day}" if message.origin else day


def row(inbox: Inbox, message: InboxMessage) -> Html:
    carried = message.carried
    return el(
        "li",
        el(
            "a",
            channel_icon(message.channel),
            el("span", el("b", message.name)),
            clock(inbox, message.at),
            el("small", f"to {message.recipient}"),
            el("small", teaser(carried)),
            el("span", message.state.label, class_=f"badge {message.state.tone.value}"),
            class_="row",
            href=f"#{message.key}",
        ),
        data_note=True,
        data_letter=message.key,
        data_status=message.state.code,
        data_channel=message.channel.value,
        data_notification=code(message.name),
    )


def clock(inbox: Inbox, at: datetime) -> Html:
    return el("time", f"{at.astimezone(inbox.zone):%H:%M:%S}", datetime=at.isoformat())


def teaser(carried: Carried) -> str:
    content = carried.content
    if content is None:
        return "text stored at the provider"
    if content.get("cards"):
        titles = ", ".join(str(card.get("title", "")) for card in content["cards"] if card.get("title"))
        return f"{len(content['cards'])} cards: {titles}"
    card = content.get("richCard") or {}
    found = content.get("subject") or content.get("text") or card.get("title") or card.get("description")
    words = " ".join(str(found or content.get("mediaContentUrl") or content.get("event") or "").split())
    return words if len(words) <= TEASER else f"{words[:TEASER]}…"


def letter(inbox: Inbox, message: InboxMessage, budget: Budget) -> Html:
    title = f"name:{message.key}"
    return el(
        "article",
        el(
            "header",
            el("a", "All messages", class_="button back", href="#"),
            el(
                "div",
                el("span", channel_icon(message.channel), class_="tile"),
                el(
                    "div",
                    el("h2", message.name, id=title),
                    el("p", f"{CHANNELS[message.channel]} to {message.recipient}"),
                ),
                badge_list((message.state,)),
                class_="name",
            ),
            el("dl", *trail(inbox, message), class_="trail"),
        ),
        el("div", *body(message, budget), row_list(message.carried, None), request(message), class_="body"),
        class_="note letter",
        id=message.key,
        aria_labelledby=title,
    )


def trail(inbox: Inbox, message: InboxMessage) -> Iterator[Html]:
    """Accepted, then each receipt, with its time; and the run."""
    local = message.at.astimezone(inbox.zone)
    zone = (
        f" {inbox.zone_name} ({message.at.astimezone(UTC):%H:%M:%S} UTC)"
        if inbox.zone_name != "UTC"
        else " UTC"
    )
    yield step("Accepted", f"{local:%Y-%m-%d %H:%M:%S}{zone}")
    for each in message.receipts:
        word = STATES[each.status].label if each.status in STATES else each.status
        at = f"{each.at.astimezone(inbox.zone):%H:%M:%S}"
        yield step(word, at if each.taken else f"{at}, not accepted by notifyUrl")
    if message.origin:
        yield step("Run", str(message.origin.run))


def step(word: str, value: str) -> Html:
    return el("div", el("dt", word), el("dd", value))


def body(message: InboxMessage, budget: Budget) -> Iterator[Child]:
    carried = message.carried
    content = carried.content
    if content is None:
        yield el("p", "The text of this template is stored at the provider and cannot be shown.")
    elif message.channel is ChannelName.SMS:
        yield phone(carried.sender, str(content.get("text", "")), unicode=is_unicode(content))
    elif message.channel is ChannelName.RCS:
        yield Drawing(None, "ins", None).phone(carried.sender, content)
        if has_fallback(carried):
            yield el("h3", "SMS sent when RCS fails", class_="side")
            yield phone(str(carried.options.get("smsSenderId", "")), str(carried.options["text"]))
        targets = button_targets(content)
        if targets is not None:
            yield el("h3", "What the buttons do", class_="side")
            yield targets
    else:
        view = MailView(name=f"message {message.number}", carried=carried, recipient=message.recipient)
        yield mail.plain_alternative(view)
        yield mail.all_words(view)
        if budget.take(len((view.markup or "").encode())):
            yield el("div", mail.one_frame(view), class_="mail")
        else:
            yield el("p", el("small", "The HTML of older messages is not drawn here."))


def phone(sender: str, text: str, *, unicode: bool = False) -> Html:
    return sms(sender, SmsText([Run(text, changed=False)], unicode=unicode))


def request(message: InboxMessage) -> Html:
    accepted = json.dumps(message.masked, indent=2, ensure_ascii=False)
    return el(
        "details",
        el("summary", "The message as the simulator accepted it"),
        el("pre", accepted, tabindex="0", role="group", aria_label="The message as JSON"),
        class_="plain",
    )
