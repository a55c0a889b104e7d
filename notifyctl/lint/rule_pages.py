"""A page for every rule that lint can report: what is wrong, why it matters, how to fix it. `notifyctl explain RULE` prints it.

A test fails when a rule in the code has no page here, or a page no rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from notifyctl.rulebook import rules


class Page(NamedTuple):
    severity: str
    """error, warning or info, unless the project's `lint:` changes it."""
    text: str
    numbers: tuple[int, ...] = ()
    """Of the API's rule book, where it is a rule of the API too."""
    profile: str | None = None
    """The only profile in which it holds; None: in both."""


E, W, I = "error", "warning", "info"  # noqa: E741 - the three letters of the table below

FORM: Mapping[str, Page] = {
    "yaml-syntax": Page(E, "The file is not valid YAML 1.2. Nothing after this place in the file is read."),
    "yaml-limits": Page(
        E,
        "A file is limited to 10 MiB, 10,000 documents, a depth of 64, and 100,000 values per document, aliases included.",
    ),
    "duplicate-key": Page(
        E,
        "A mapping has the same key twice. YAML parsers differ in which one they keep, so notifyctl accepts neither.",
    ),
    "unknown-key": Page(
        E,
        "Unknown key. The message suggests the closest valid key, or lists all of them. The API's own `appid`, and keys of"
        " later releases, are not part of the format.",
        (2, 9),
    ),
    "missing-key": Page(E, "The document cannot be used without this key."),
    "exclusive-keys": Page(
        E, "Only one of these keys is allowed, or exactly one is required, or one of them needs another."
    ),
    "wrong-type": Page(
        E,
        "The value has the wrong type for this key: text, a number, true or false, a list, or a mapping.",
    ),
    "invalid-value": Page(E, "The value has the right type, but is not one of those that are allowed here."),
    "too-long": Page(
        E,
        "The API rejects a longer text. Limits apply to the finished text, and depend on the environment's `profile`.",
    ),
    "too-short": Page(E, "The text must not be empty."),
    "too-many": Page(E, "The list is longer than the API allows."),
    "too-few": Page(E, "The list is shorter than the API requires."),
    "not-ours": Page(
        E,
        "A YAML file in the project is not a notifyctl document. If it belongs to another tool, add it to .notifyctlignore.",
    ),
    "unknown-kind": Page(
        E,
        "`kind` must be Project, Template, Audience, Schedule, Notification, Moved, Baseline or Withdraw.",
    ),
    "duplicate-name": Page(
        E,
        "Names must be unique within their kind, across all files, because documents refer to each other by name.",
    ),
    "unknown-reference": Page(
        E,
        "There is no document of that kind and name, or no such edition of it. The message lists those that are defined.",
    ),
    "statement-without-effect": Page(
        W,
        "A Moved, Baseline or Withdraw document has no effect: nothing was recorded for the earlier edition that it names, or the"
        " ledger does not have the name. Only `plan` reports this, because it needs the ledger.",
    ),
    "trust-setting": Page(
        W,
        "`plan --untrusted --base REV`: a setting that decides where messages go, or who can be sent them, differs from the base."
        " The plan uses the setting of the base.",
    ),
    "unreadable-file": Page(E, "The file is missing, outside the project, not a regular file, or not UTF-8."),
    "merge-conflict": Page(
        E,
        "The file contains conflict markers of git. Until the conflict is resolved, it is unknown which version would be sent.",
    ),
    "project-document": Page(E, "A project must have exactly one Project document, in notifyctl.yaml."),
}

TEXTS: Mapping[str, Page] = {
    "template-syntax": Page(
        E,
        "Jinja2 cannot parse the template. Templates are rendered once, with `vars` only; $(name) inserts each recipient's own value."
        " Mustache and Handlebars tags such as {{#each}} are not Jinja2. To keep braces as text, wrap them in"
        " {% raw %} … {% endraw %}.",
    ),
    "template-undefined": Page(
        E,
        "The template uses a name that `vars` of the project and the environment do not define. To insert each recipient's own value,"
        " write $(name).",
    ),
    "template-include": Page(
        E,
        "The file to include does not exist. Paths are relative to the including file, or to the project. Files outside the project"
        " cannot be included.",
    ),
    "template-limit": Page(
        E,
        "The template uses more loops, includes, characters or variables than a message can need, or takes too long to check.",
    ),
    "template-security": Page(E, "The template accesses the internals of Python, which is not allowed."),
    "template-error": Page(E, "The template cannot be rendered, for example because of a division by zero."),
    "undeclared-variable": Page(
        E,
        "If a template has `variables`, it must declare every `$(name)` that the text uses, so that a misspelt name is found.",
    ),
    "unused-variable": Page(W, "A declared variable is not used. Often its name is misspelt in the text."),
    "unused-template": Page(W, "No notification uses the template. Its texts are checked anyway."),
    "unused-audience": Page(W, "No notification uses the audience, so its recipients are not checked."),
    "unused-schedule": Page(W, "No notification uses the schedule."),
    "bad-schedule": Page(
        E,
        "The cron expression, the `rrule` or the time zone is not valid, the rule never occurs, or window, quiet hours and holidays,"
        " with those of the project, leave no time to send.",
    ),
    "bad-holidays": Page(
        E, "The country or its part is unknown, or the iCalendar file is not valid or has no event."
    ),
    "window-at-night": Page(
        W,
        "Messages are sent while a window is open. This one is open at night, from one day to the next: most likely it was meant as"
        " `quietHours`, in which nothing is sent.",
    ),
    "exempt-without-effect": Page(
        W,
        "`except` lifts the window, quiet hours and holidays of the project's defaults for a category. There is nothing to lift, or"
        " no notification of that category.",
    ),
    "comment-cuts-text": Page(
        W,
        "In YAML, a space and a # start a comment, so an unquoted text ends there. Put the text in quotes; or, if it is a comment,"
        " write two spaces before the # and one after it.",
    ),
    "trailing-line-break": Page(
        W,
        "The text of an SMS ends with a line break that costs one more segment. A block scalar keeps the line break with `|` and"
        " leaves it out with `|-`.",
    ),
    "test-address-not-allowed": Page(
        W,
        "An address in `tests` of an environment is not on its allow-list (`fence`), so `send-test` refuses to send to it."
        " Add it to `fence` too, or remove it.",
    ),
    "at-in-past": Page(
        W,
        "The time in `at`, and its grace period, have passed, so messages that were not sent by then expire. This rule depends on"
        " the current time.",
    ),
    "no-occurrence": Page(
        W,
        "A schedule has no occurrence from now on: its rule has ended, or nothing that it matches lies between `from` and `until`."
        " This rule depends on the current time.",
    ),
    "invisible-character": Page(
        W,
        "The text contains an invisible character. It can double the cost of an SMS, or make a text look different from what it is.",
    ),
    "insecure-link": Page(
        W,
        "A link starts with http://. Recipients and mail filters distrust links without TLS, and the API shortens https links only."
        " Namespaces, document types and linked data (JSON-LD) are not links.",
    ),
    "unbalanced-link": Page(
        W, "A link is not closed, or is closed twice: the rest of the email becomes one link, or none."
    ),
    "variant-lacks-variable": Page(
        W,
        "The text of a locale does not use a variable that the default text uses. Often a line was not translated.",
    ),
    "relative-link": Page(
        W,
        "A link, image, style sheet or background of an email is relative. An email has no page that it could be relative to, so nothing"
        " opens or loads. Write the whole address.",
    ),
    "image-without-alt": Page(
        W, "Many email programs block images, and screen readers read the alt text aloud."
    ),
    "text-alternative-differs": Page(
        W,
        "The text alternative of an HTML email and the HTML share less than half of the longer one's words. Most recipients see"
        " the HTML, and some only the text, so recipients read different messages. Write the same text in both. The plan shows both.",
    ),
    "active-markup": Page(
        E, "Email programs remove scripts, forms and frames, or warn of the whole message."
    ),
    "secret-in-text": Page(
        E,
        "The text contains a key or token. It would be visible to all recipients, and to everyone with access to the repository.",
    ),
}

PEOPLE: Mapping[str, Page] = {
    "unknown-column": Page(E, "The source has no such column. The message lists its columns."),
    "unsupported-source": Page(
        E, "This source cannot be read this way. The message shows what is supported, or what is missing."
    ),
    "bad-where": Page(
        E,
        "`where` must be one boolean SQL expression over the columns. It can call pure functions only.",
    ),
    "bad-price": Page(
        W,
        "A line of the price list is not a valid prefix, channel, price and currency. Its recipients are counted without a price.",
    ),
    "bad-suppression": Page(
        E,
        "A line of a suppression list is not a valid address. It may be an address that must not be sent to, so it is an error.",
    ),
    "bad-row": Page(
        W,
        "The row cannot be read: it has a different number of cells than the header, or characters that are not UTF-8.",
    ),
    "no-address": Page(I, "The row has no address for this channel and is skipped.", (11,)),
    "numbers-without-region": Page(
        W,
        "Most numbers of the audience have no + and are read as international, because no `region` is set. A national number of one"
        " country can be a valid number of another, and the message would be sent to a stranger there.",
    ),
    "missing-timezone": Page(
        W,
        "The schedule has `timezone: recipient`, but recipients have no time zone, and none follows from the country of their number,"
        " which has several or is not certain. The project's is used for them, so the message can reach them at night. Map a column to"
        " `timezone`, or name a time zone in the schedule.",
    ),
    "unknown-timezone": Page(
        W,
        "The recipient's time zone is not in the IANA database, and the schedule has `timezone: recipient`. The plan blocks this"
        " recipient and sends to the others. Use a name such as Europe/London, not an abbreviation or an offset.",
    ),
    "invalid-locale": Page(
        W,
        "The locale is not a language tag (BCP 47), such as de or fr-CA, so no text can be chosen by it. The recipient gets the default"
        " text, in whatever language that is.",
    ),
    "locale-without-text": Page(
        I,
        "Recipients have a locale that the template has no text for. They get the default text, which is in the project's default"
        " locale. Add a variant to `locales` if they cannot be expected to read it.",
    ),
    "empty-variable": Page(W, "A recipient's value is empty, but the variable is required."),
    "variable-too-long": Page(
        E, "A recipient's value is longer than the variable's `maxLength`. The plan blocks this recipient."
    ),
    "longest-text": Page(
        I, "The longest text that any recipient is sent, so that a review can check the worst case."
    ),
    "empty-audience": Page(E, "The audience has no recipients with an address for the channel.", (10,)),
}

CHOICES: Mapping[str, Page] = {
    "fixed-severity": Page(
        W,
        "`lint:` or an ignore comment lowers an error that cannot be lowered, because no message can be composed until it is fixed:"
        " for example a template that cannot be rendered, or an audience that cannot be read.",
    ),
    "unknown-rule": Page(
        E,
        "`lint:` or an ignore comment names a rule that does not exist, so it has no effect. The hint suggests the closest rule;"
        " `notifyctl explain` lists all of them.",
    ),
    "unused-exception": Page(
        W, "An ignore comment has no effect on its line. It could hide a later problem."
    ),
    "exception-without-reason": Page(
        W, "An ignore comment must give a reason, for the next person who reads it."
    ),
}

PAGES: Mapping[str, Page] = {
    **FORM,
    **TEXTS,
    **PEOPLE,
    **CHOICES,
    **{rule.id: Page(rule.severity.value, rule.page, rule.numbers, rule.profile) for rule in rules()},
}
