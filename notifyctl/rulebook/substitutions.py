"""Rules 28 to 36: `$(name)` and its values."""

from __future__ import annotations

from notifyctl.rulebook.rule import Rule, W

VALUES = Rule(
    28, "substitutions", "Substitutions are a mapping from names to texts; numbers are written as they read."
)
PLACEHOLDER_FORM = Rule(
    30,
    "placeholder-form",
    "A placeholder is $(name): no blanks or brackets in the name, and a bracket that closes. Anything else is sent to people"
    " as it stands.",
)
FOREIGN_PLACEHOLDER = Rule(
    30,
    "foreign-placeholder",
    "${name}, {{name}}, {name}, %name%, *|NAME|*, [[name]], ((name)), <%= name %> and their like are placeholders of other"
    " tools. The API fills in $(name) only; these would be read by people as they stand.",
    W,
)
MISSING = Rule(
    31,
    "missing-variable",
    "Nothing can give the variable a value: no substitution, no default, no column of the audience.",
)
UNRESOLVED = Rule(
    31,
    "unresolved-variable",
    "This person has no value for a variable of the text. A plan blocks them, and sends to the others.",
)
UNREAD = Rule(
    32,
    "unread-substitution",
    "A value is given that no text reads: by the notification, by a recipient, or by a mapping of columns. Often the text"
    " misspells its name.",
    W,
)
RESERVED = Rule(
    33, "reserved-variable", "$(unsubscribe) is filled in by the platform and takes no value of yours."
)
SHARED = Rule(
    34,
    "shared-substitutions",
    "Several addresses stand in one entry with substitutions: all of them get the same values, so everybody is greeted by"
    " one person's name.",
    W,
)
TEXT_TOO_LONG = Rule(
    35,
    "text-too-long",
    "With this person's values the text is longer than the API takes. A plan blocks them, and sends to the others.",
)
OUTSIDE_TEXT = Rule(
    36,
    "rcs-placeholder-outside-text",
    "Release 6.20 fills in the `text` of an RCS message and nothing else: a placeholder in a card, a chip or a URL is sent"
    " as it stands.",
    W,
    profile="6.20",
)
