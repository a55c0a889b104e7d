"""Inline images of an email: attachments with a `cid`, which the HTML shows by `cid:…` (profile 6.20)."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote

from notifyctl.channels.channel import Message, is_final
from notifyctl.config.fields import NEWER
from notifyctl.diagnostics import Problem
from notifyctl.rulebook import email as rules

TAG = re.compile(r"<[a-z][^<>]*>|url\([^()]*\)", re.IGNORECASE)
"""What can refer to an image: a tag, or a style."""
REFERENCE = re.compile(r"""(?<=[=('"\s])cid:([^"'()<>\s]+)""", re.IGNORECASE)
"""A `cid:` URL (RFC 2392) inside one of these."""
INVALID = re.compile(r"[\s<>\"'()]")
"""What a content ID cannot contain, so that the HTML can refer to it."""
COMMENT = re.compile(r"<!--(?!\s*\[if\b).*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE)
"""Not a conditional one, which Outlook reads."""


def attached_ids(message: Message) -> list[tuple[int, str]]:
    """Position of each attachment with a `cid`, and the cid."""
    attachments = message.content.get("attachments") or ()
    return [(number, each["cid"]) for number, each in enumerate(attachments) if "cid" in each]


def shown_ids(message: Message) -> list[tuple[str, int]]:
    """The content IDs that the HTML refers to, each with its place in the HTML, without comments."""
    text = str(message.content.get("html", ""))
    visible = COMMENT.sub(lambda found: " " * len(found[0]), text)
    return [
        (unquote(html.unescape(found[1])), tag.start() + found.start())
        for tag in TAG.finditer(visible)
        for found in REFERENCE.finditer(tag[0])
    ]


def content_ids_are_right(message: Message) -> Iterator[Problem]:
    ids = attached_ids(message)
    count = Counter(cid for _, cid in ids)
    for number, cid in ids:
        path = ("content", "attachments", number, "cid")
        if is_final(cid) and INVALID.search(cid):
            text = f'`cid` must not contain spaces, quotes or brackets: "{cid}"'
            yield rules.CID.broken(path, text, "use letters, digits, dots and hyphens, without `cid:`")
        elif cid.lower().startswith("cid:"):
            yield rules.CID.broken(path, "`cid` must not start with cid:", f"write `cid: {cid[4:]}`")
        elif count[cid] > 1:
            yield rules.CID.broken(path, f'two attachments have the `cid` "{cid}"', "rename one of them")


def inline_images_are_attached(message: Message) -> Iterator[Problem]:
    known = {cid for _, cid in attached_ids(message)}
    if not all(map(is_final, known)):
        return
    told: set[str] = set()
    for cid, place in shown_ids(message):
        if cid in known or cid in told or not is_final(cid):
            continue
        told.add(cid)
        nearest = next((each for each in known if each.lower() == cid.lower()), None)
        text = f"the HTML shows cid:{cid}, but no attachment has this `cid`"
        hint = f"did you mean cid:{nearest}?" if nearest else f"add `cid: {cid}` to an attachment"
        if message.profile != NEWER:
            hint = f"use an https URL, or attach the image in an environment with profile {NEWER}"
        before = message.content["html"][:place]
        line, column = before.count("\n") + 1, place - before.rfind("\n")
        yield rules.CID_MISSING.broken_at(("content", "html"), text, hint, line=line, column=column)


def content_ids_are_used(message: Message) -> Iterator[Problem]:
    shown = {cid for cid, _ in shown_ids(message)}
    if message.profile != rules.CID_UNUSED.profile or not all(map(is_final, shown)):
        return
    for number, cid in attached_ids(message):
        if is_final(cid) and cid not in shown:
            path = ("content", "attachments", number, "cid")
            text = f"the HTML does not show cid:{cid}, so the attachment is not an inline image"
            hint = f'add <img src="cid:{cid}">, or remove `cid`'
            if message.type == "text":
                text, hint = "`cid` has no effect in a plain text email", "remove it, or set `type: html`"
            yield rules.CID_UNUSED.broken(path, text, hint)
