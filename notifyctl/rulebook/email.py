"""Rules 67 to 82: e-mail."""

from __future__ import annotations

from notifyctl.rulebook.rule import Rule, W

FROM_NAME = Rule(67, "from-name", "fromName is a text that is not empty.")
TRACKING = Rule(
    68,
    "tracking-plain-text",
    "Clicks and opens are tracked in HTML; a plain text e-mail has nothing to track.",
    W,
)
TYPE = Rule(69, "email-type", "An e-mail is `type: text` or `type: html`.")
SUBJECT = Rule(70, "email-subject", "An e-mail has a subject, which is not empty.")
ONE_LINE = Rule(
    70,
    "header-one-line",
    "A line break in a subject, reply address or sender name could add another header to the e-mail.",
)
REPLY_TO = Rule(71, "reply-to-address", "replyTo is one e-mail address.")
TEXT = Rule(
    72, "email-text", "A plain text e-mail has a text, which is not empty; beside HTML it is optional."
)
HTML = Rule(73, "email-html", "An HTML e-mail has `html`, which is not empty; a plain text e-mail has none.")
HTML_SIZE = Rule(74, "email-html-size", "HTML has at most 350 kB in UTF-8; in release 6.20 500 kB.")
ATTACHMENTS = Rule(
    75, "attachments", "attachments is a list; each has mimeType, name and mediaUrl, all of them texts."
)
MEDIA_URL = Rule(76, "attachment-url", "The provider fetches an attachment from an absolute http(s) URL.")
MEDIA_TYPE = Rule(
    76,
    "attachment-type",
    "The ending of the URL says another media type than mimeType. Readers' programs open it by the one or the other.",
    W,
)
MIME_SIZE = Rule(
    77,
    "mime-size",
    "An e-mail has at most 10 MB after MIME encoding, which makes attachments 1.37 times as large: about 7.3 MB of files."
    " `size` (bytes) beside an attachment's mediaUrl lets lint add it up; it is not sent.",
)
COPIES = Rule(78, "copies", "cc and bcc are lists of e-mail addresses, and for e-mail only.")
TOO_MANY_COPIES = Rule(
    79,
    "too-many-copies",
    "An e-mail goes to at most 50 addresses, cc and bcc counted; with more the whole request fails.",
    profile="6.20",
)
COPIES_FOR_ALL = Rule(
    80,
    "copies-for-everybody",
    "Each reader gets an e-mail of their own, and each of them goes to cc and bcc too: an audience of a thousand fills that"
    " mailbox a thousand times.",
    W,
)
NO_TRACK = Rule(
    81,
    "no-track-connect",
    "no-track-connect keeps a link from being tracked. It works as an attribute of <a> and nowhere else.",
    W,
)
VALUE_MARKUP = Rule(
    73,
    "html-value-markup",
    "This person's value has <, & or \" in it and stands in the HTML. Nothing says that the API escapes it: whoever writes the"
    " value writes markup into the e-mail.",
    W,
)
VALUE_IN_LINK = Rule(
    30,
    "link-value-unencoded",
    "This person's value is part of a link and has a blank, or in the query + & # or %, that is not encoded: the link ends"
    " there, or leads elsewhere.",
    W,
)
UNSUBSCRIBE_MISSING = Rule(
    82,
    "unsubscribe-missing",
    "HTML of the category marketing has no $(unsubscribe): readers then mark it as spam, and mail filters hold it against"
    " the domain. Put it into the href of a link.",
    W,
)
UNSUBSCRIBE_MISPLACED = Rule(
    82,
    "unsubscribe-misplaced",
    "The platform fills $(unsubscribe) in in the html of an e-mail and nowhere else.",
    also=(33,),
)
