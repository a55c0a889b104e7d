"""Rules 67 to 82: email."""

from __future__ import annotations

from notifyctl.rulebook.rule import Rule, W

FROM_NAME = Rule(67, "from-name", "`fromName` must not be empty.")
TRACKING = Rule(
    68,
    "tracking-plain-text",
    "Clicks and opens are tracked in HTML only. A plain text email has nothing to track.",
    W,
)
TYPE = Rule(69, "email-type", "The `type` of an email must be `text` or `html`.")
SUBJECT = Rule(70, "email-subject", "An email needs a `subject` that is not empty.")
ONE_LINE = Rule(
    70,
    "header-one-line",
    "A line break in a subject, reply address or sender name could add another header to the email.",
)
REPLY_TO = Rule(71, "reply-to-address", "`replyTo` must be one email address.")
TEXT = Rule(
    72,
    "email-text",
    "A plain text email needs a `text` that is not empty. In an HTML email, `text` is optional.",
)
HTML = Rule(
    73, "email-html", "An HTML email needs `html` that is not empty. A plain text email must not have it."
)
HTML_SIZE = Rule(
    74,
    "email-html-size",
    "The limit for HTML is 350 kB in UTF-8 in profile 2021, and 500 kB in profile 6.20.",
)
ATTACHMENTS = Rule(
    75, "attachments", "`attachments` must be a list. Each entry needs `mimeType`, `name` and `mediaUrl`."
)
MEDIA_URL = Rule(
    76, "attachment-url", "The provider fetches an attachment, so `mediaUrl` must be an absolute http(s) URL."
)
MEDIA_TYPE = Rule(
    76,
    "attachment-type",
    "The URL ends like another media type than `mimeType`. Mail programs choose the application by one of them.",
    W,
)
CID = Rule(
    75,
    "attachment-cid",
    "The `cid` of an attachment must be unique in the email, and must not contain spaces, quotes or brackets.",
    profile="6.20",
)
CID_MISSING = Rule(
    75,
    "inline-image-missing",
    "The HTML shows an inline image with `cid:`, but no attachment has this `cid`. Recipients would see a broken image."
    " Attachments have a `cid` in profile 6.20 only.",
)
CID_UNUSED = Rule(
    75,
    "inline-image-unused",
    "An attachment has a `cid` that the HTML does not show. It is sent as an ordinary attachment.",
    W,
    profile="6.20",
)
MIME_SIZE = Rule(
    77,
    "mime-size",
    "The limit for an email is 10 MB after MIME encoding, which makes attachments 1.37 times as large: about 7.3 MB of files."
    " To let lint add up the files, write `size` (bytes) in each attachment. It is not sent.",
)
COPIES = Rule(78, "copies", "`cc` and `bcc` must be lists of email addresses. Only email has them.")
TOO_MANY_COPIES = Rule(
    79,
    "too-many-copies",
    "The limit for an email is 50 addresses, including `cc` and `bcc`. With more, the whole request fails.",
    profile="6.20",
)
COPIES_FOR_ALL = Rule(
    80,
    "copies-for-everybody",
    "Each recipient is sent an email of their own, and each of these also goes to `cc` and `bcc`. An audience of 1,000 sends"
    " 1,000 copies to each of those addresses.",
    W,
)
NO_TRACK = Rule(
    81,
    "no-track-connect",
    "`no-track-connect` keeps a link from being tracked. It works only as an attribute of `<a>`.",
    W,
)
VALUE_MARKUP = Rule(
    73,
    "html-value-markup",
    "A recipient's value contains <, & or \" and is used in the HTML. The API does not document that it escapes values, so"
    " the value can change the markup of the email.",
    W,
)
VALUE_IN_LINK = Rule(
    30,
    "link-value-unencoded",
    "A recipient's value is part of a link and contains a blank, or in the query + & # or %, that is not encoded. The link"
    " ends there, or leads to another page.",
    W,
)
UNSUBSCRIBE_MISSING = Rule(
    82,
    "unsubscribe-missing",
    "HTML of the category `marketing` has no $(unsubscribe). Recipients then report the email as spam, and mail filters block"
    " the domain. Use it as the `href` of a link.",
    W,
)
LIST_UNSUBSCRIBE = Rule(
    82,
    "list-unsubscribe",
    "`listUnsubscribeUrl` must be an https URL and `unsubscribeEmailAddress` an email address, because mail programs unsubscribe"
    " recipients with them. `unsubscribeEmailSubject` needs the address. The provider then no longer records these opt-outs.",
    profile="6.20",
)
UNSUBSCRIBE_MISPLACED = Rule(
    82,
    "unsubscribe-misplaced",
    "The provider fills in $(unsubscribe) in the `html` of an email only.",
    also=(33,),
)
