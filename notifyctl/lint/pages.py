"""A page for every rule that lint can tell: what is wrong, why it matters, how to mend it. `notifyctl explain RULE` prints it.

A test fails when a rule that stands anywhere in the code has no page here, or a page no rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Page(NamedTuple):
    severity: str
    """error, warning or info: how grave it is unless the project's `lint:` says otherwise."""
    text: str


E, W, I = "error", "warning", "info"  # noqa: E741 - the three letters of the table below

FORM: Mapping[str, Page] = {
    "yaml-syntax": Page(
        E, "The file is no YAML 1.2. Whatever stands after this place in the file is not read."
    ),
    "yaml-limits": Page(
        E, "A file has at most 10 MiB, a depth of 64, and 100,000 values a document once aliases are counted."
    ),
    "duplicate-key": Page(
        E, "A key stands twice in a mapping. YAML readers differ in which they keep, so neither is taken."
    ),
    "unknown-key": Page(
        E, "The key means nothing here. The message names the nearest that does, or all of them."
    ),
    "missing-key": Page(E, "Without this key the document cannot be used."),
    "exclusive-keys": Page(E, "Of these keys exactly one, or at most one, may stand; or one needs another."),
    "wrong-type": Page(
        E,
        "The value is of another kind than this key takes: a text, a number, true or false, a list, a mapping.",
    ),
    "invalid-value": Page(E, "The value is of the right kind and not one of those that are allowed here."),
    "too-long": Page(
        E,
        "The API refuses a longer text. Limits hold for the finished text, and depend on the environment's `profile`.",
    ),
    "too-short": Page(E, "The text may not be empty."),
    "too-many": Page(E, "The list is longer than the API takes."),
    "too-few": Page(E, "The list is shorter than the API takes."),
    "not-ours": Page(
        E,
        "A YAML file below the project is no notifyctl document. If it belongs to something else, name it in .notifyctlignore.",
    ),
    "unknown-kind": Page(
        E,
        "`kind` is one of Project, Template, Audience, Schedule, Notification, Moved, Baseline and Withdraw.",
    ),
    "duplicate-name": Page(E, "A name is unique within its kind, over all files: references are by name."),
    "unknown-reference": Page(
        E, "There is no document of that kind and name. The message says which there are."
    ),
    "unreadable-file": Page(E, "The file is missing, outside the project, no regular file, or not UTF-8."),
    "project-document": Page(E, "Exactly one Project stands in the project, in notifyctl.yaml."),
}

TEXTS: Mapping[str, Page] = {
    "template-syntax": Page(
        E, "Jinja2 cannot read the text. It is filled in once, at build time; `$(name)` is for each reader."
    ),
    "template-undefined": Page(
        E, "The text reads a name that `vars` of the project and the environment do not define."
    ),
    "template-include": Page(
        E,
        "The file to include is not there. Paths are relative to the including file, else to the project; nothing outside it can be read.",
    ),
    "template-limit": Page(
        E, "The text asks for more loops, includes or characters than a message can need."
    ),
    "template-security": Page(E, "The text reaches for the inside of Python, which a template may not."),
    "template-error": Page(E, "Filling the text in failed, for example by a division by zero."),
    "undeclared-variable": Page(
        E,
        "Where `variables` stands, it names every `$(name)` that the text reads, so that a misspelt one is found.",
    ),
    "unused-variable": Page(W, "A declared variable is read by no text: often the text misspells it."),
    "unread-substitution": Page(W, "The notification gives a value that its template does not read."),
    "reserved-variable": Page(
        E, "$(unsubscribe) is filled in by the platform (rule 33) and takes no value of yours."
    ),
    "unused-template": Page(W, "No notification uses the template. Its texts are checked all the same."),
    "unused-audience": Page(W, "No notification uses the audience; it is not read."),
    "unused-schedule": Page(W, "No notification uses the schedule."),
    "missing-variable": Page(
        E, "Nothing can give the variable a value: no substitution, no default, no column of the audience."
    ),
    "no-sender": Page(
        E, "A message needs a sender: `from:` in the notification, or `senders:` in the environment."
    ),
    "bad-schedule": Page(
        E, "The cron expression or the time zone has no meaning, or the window never opens."
    ),
    "invisible-character": Page(
        W, "A character that nobody sees makes an SMS twice as dear, or shows other words than it says."
    ),
    "insecure-link": Page(
        W, "Readers and mail filters distrust links without TLS, and the API shortens https links only."
    ),
    "relative-link": Page(W, "A link in an e-mail has no page that it could be relative to."),
    "image-without-alt": Page(
        W, "Many mail clients block images, and some readers hear mail instead of seeing it."
    ),
    "active-markup": Page(
        E, "Mail clients remove scripts, forms and frames, or warn of the message as a whole."
    ),
    "secret-in-text": Page(
        E, "A key or token in a message is read by all who get it, and by all who can read the repository."
    ),
}

PEOPLE: Mapping[str, Page] = {
    "unknown-column": Page(E, "The source has no such column. Its first line names those there are."),
    "unsupported-source": Page(E, "This version reads CSV, TSV and JSON Lines."),
    "bad-where": Page(
        E,
        "`where` is one boolean SQL expression over the columns; it can call pure functions and nothing else.",
    ),
    "bad-suppression": Page(
        E,
        "A line of a suppression list is no address. It may mean somebody who must not be written to, so it is an error.",
    ),
    "bad-address": Page(
        W, "The row's address has not the form of one. The row is left out; the others are sent to."
    ),
    "bad-row": Page(
        W, "The row cannot be read: another number of cells than the header, or characters that are no UTF-8."
    ),
    "no-address": Page(I, "The row has no address for this channel and is left out."),
    "duplicate-address": Page(I, "Another row above has the same address. The first counts."),
    "unresolved-variable": Page(
        E,
        "This person has no value for a variable of the text (rule 31). A plan blocks them, and sends to the others.",
    ),
    "empty-variable": Page(W, "This person's value is blank, and the variable is required."),
    "variable-too-long": Page(
        E, "This person's value is longer than the variable's `maxLength`. A plan blocks them."
    ),
    "text-too-long": Page(
        E, "With this person's values the text is longer than the API takes (rule 35). A plan blocks them."
    ),
    "needs-unicode": Page(
        E,
        "A character of this person's text is not in GSM-7, and the content is `type: text` (rule 64): it would arrive as another one.",
    ),
    "longest-text": Page(
        I, "The longest text that anybody reads, so that a review can look at the worst case."
    ),
    "empty-audience": Page(E, "Nobody in the audience has an address for the channel."),
}

CHOICES: Mapping[str, Page] = {
    "unused-exception": Page(
        W, "A `# notifyctl: ignore[…]` excepts nothing on its line. It would hide a later problem."
    ),
    "exception-without-reason": Page(W, "An exception says why it is made, for whoever reads it next."),
}

CHANNELS: Mapping[str, Page] = {
    "clicks-need-short-links": Page(E, "Clicks are counted on shortened links only (rule 59)."),
    "short-link-domain-https": Page(E, "The domain of shortened links is an https URL (rule 57)."),
    "unsubscribe-misplaced": Page(
        E, "The platform fills $(unsubscribe) in in the html of an e-mail and nowhere else (rule 82)."
    ),
    "reply-to-address": Page(E, "replyTo is one e-mail address (rule 71)."),
    "attachment-url": Page(E, "The provider fetches an attachment from an absolute http(s) URL (rule 76)."),
    "header-one-line": Page(
        E, "A line break in a subject, reply address or sender name could add another header to the e-mail."
    ),
    "fallback-incomplete": Page(E, "An SMS in place of RCS needs a sender and a text (rule 85)."),
    "agent-event-message": Page(E, "READ names the message that was read, IS_TYPING none (rule 94)."),
    "agent-event-fallback": Page(E, "A typing or read event has no SMS to fall back to (rule 95)."),
    "empty-card": Page(E, "A card shows at least one of media, title and description (rule 97)."),
    "carousel-heights": Page(E, "The media of all cards of a carousel have one height (rule 99)."),
    "media-url": Page(E, "Media have an absolute http(s) URL (rules 89 and 99)."),
    "view-location-place": Page(
        E, "viewLocation has latitude and longitude, or an address to look for (rule 107)."
    ),
    "open-url": Page(E, "openUrl has an absolute http(s) URL (rule 108)."),
    "calendar-event-times": Page(
        E, "An event has ISO 8601 times and does not end before it begins (rule 109)."
    ),
    "dial-phone-number": Page(E, "dialPhone has an E.164 number (rule 110)."),
}

PAGES: Mapping[str, Page] = {**FORM, **TEXTS, **PEOPLE, **CHOICES, **CHANNELS}
