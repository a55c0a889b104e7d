"""Rules 28 to 36: `$(name)` and its values."""

from __future__ import annotations

from notifyctl.rulebook.rule import Rule, W

VALUES = Rule(
    28,
    "substitutions",
    "`substitutions` must be a mapping from names to text. Numbers are sent as they are written.",
)
PLACEHOLDER_FORM = Rule(
    30,
    "placeholder-form",
    "A placeholder must be $(name), without blanks or brackets in the name and with a closing bracket. Anything else is sent"
    " unchanged.",
)
FOREIGN_PLACEHOLDER = Rule(
    30,
    "foreign-placeholder",
    "${name}, {{name}}, *|NAME|*, [[name]], %%name%%, %name%, <%= name %>, ((name)), {0}, %s and similar forms are placeholders of"
    " other tools. The API fills in $(name) only, so recipients would see these unchanged. For each recipient's own value write"
    " $(name). Forms that can be ordinary text, such as {name}, [name], -name- or $name, are reported only where the word inside is"
    " a column of the audience or a variable of the message.",
    W,
)
MISSING = Rule(
    31,
    "missing-variable",
    "No value for the variable: no substitution, no default and no column of the audience provides one.",
)
UNRESOLVED = Rule(
    31,
    "unresolved-variable",
    "This recipient has no value for a variable. The plan blocks this recipient and sends to the others.",
)
UNREAD = Rule(
    32,
    "unread-substitution",
    "A notification, a recipient or a mapping of columns provides a value that no text uses. Often the name is misspelt.",
    W,
)
RESERVED = Rule(
    33, "reserved-variable", "The provider fills in $(unsubscribe). You cannot provide a value for it."
)
SHARED = Rule(
    34,
    "shared-substitutions",
    "One entry has several addresses and `substitutions`. All of them are sent the same values, for example the same name.",
    W,
)
TEXT_TOO_LONG = Rule(
    35,
    "text-too-long",
    "With this recipient's values the text is longer than the limit. The plan blocks this recipient and sends to the others.",
)
OUTSIDE_TEXT = Rule(
    36,
    "rcs-placeholder-outside-text",
    "Profile 6.20 fills in placeholders only in the `text` of an RCS message. In a card, a suggestion or a URL they are sent"
    " unchanged.",
    W,
    profile="6.20",
)
