"""A page for every rule that lint can tell: what is wrong, why it matters, how to mend it. `notifyctl explain RULE` prints it.

A test fails when a rule that stands anywhere in the code has no page here, or a page no rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from notifyctl.rulebook import rules


class Page(NamedTuple):
    severity: str
    """error, warning or info: how grave it is unless the project's `lint:` says otherwise."""
    text: str
    numbers: tuple[int, ...] = ()
    """Of the API's rule book, where it is a rule of the API too."""
    profile: str | None = None
    """The only profile in which it holds; None: in both."""


E, W, I = "error", "warning", "info"  # noqa: E741 - the three letters of the table below

FORM: Mapping[str, Page] = {
    "yaml-syntax": Page(
        E, "The file is no YAML 1.2. Whatever stands after this place in the file is not read."
    ),
    "yaml-limits": Page(
        E,
        "A file has at most 10 MiB, 10,000 documents, a depth of 64, and 100,000 values a document once aliases are counted.",
    ),
    "duplicate-key": Page(
        E, "A key stands twice in a mapping. YAML readers differ in which they keep, so neither is taken."
    ),
    "unknown-key": Page(
        E,
        "The key means nothing here. The message names the nearest that does, or all of them. The API's own appid,"
        " and keys of later releases, are not part of the format.",
        (2, 9),
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
        E,
        "There is no document of that kind and name, or no such edition of it yet. The message says which there are.",
    ),
    "statement-without-effect": Page(
        W,
        "A Moved, Baseline or Withdraw document changes nothing: it is about an edition below the present one that nothing"
        " was recorded for, or about a name that the ledger does not have. Only `plan` can compare it with the ledger.",
    ),
    "trust-setting": Page(
        W,
        "`plan --untrusted --base REV`: a setting that decides where messages go or whom they may reach differs from the"
        " base's. The plan is made by the base's.",
    ),
    "unreadable-file": Page(E, "The file is missing, outside the project, no regular file, or not UTF-8."),
    "merge-conflict": Page(
        E,
        "The file has lines that git writes around two versions that it could not merge. Until they are resolved, nobody can"
        " tell which version would be sent.",
    ),
    "project-document": Page(E, "Exactly one Project stands in the project, in notifyctl.yaml."),
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
        "Where `variables` stands, it names every `$(name)` that the text reads, so that a misspelt one is found.",
    ),
    "unused-variable": Page(W, "A declared variable is read by no text: often the text misspells it."),
    "unused-template": Page(W, "No notification uses the template. Its texts are checked all the same."),
    "unused-audience": Page(W, "No notification uses the audience; it is not read."),
    "unused-schedule": Page(W, "No notification uses the schedule."),
    "bad-schedule": Page(
        E, "The cron expression or the time zone has no meaning, or the window never opens."
    ),
    "comment-cuts-text": Page(
        W,
        "A blank and a # begin a comment in YAML, so an unquoted text ends there. Put it in quotes; or set the comment apart by"
        " two blanks before the # and one behind it.",
    ),
    "trailing-line-break": Page(
        W,
        "The text of an SMS ends with a line break that takes one more segment, which is paid for. A block scalar keeps it with"
        " `|`, and leaves it out with `|-`.",
    ),
    "at-in-past": Page(
        W,
        "The time of `at`, and the grace after it, has passed: whoever has not got the message does not get it any more. The rule"
        " looks at the clock.",
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
        "A locale's text does not read a variable that the template's own text reads: often a line was left out.",
    ),
    "relative-link": Page(
        W,
        "A link, image, style sheet or background of an email is relative. An email has no page that it could be relative to, so nothing"
        " opens or loads. Write the whole address.",
    ),
    "image-without-alt": Page(
        W, "Many email programs block images, and screen readers read the alt text aloud."
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
    "unknown-column": Page(E, "The source has no such column. Its first line names those there are."),
    "unsupported-source": Page(
        E, "This source is not read so: the message says what is read, or what is missing beside it."
    ),
    "bad-where": Page(
        E,
        "`where` is one boolean SQL expression over the columns; it can call pure functions and nothing else.",
    ),
    "bad-price": Page(
        W,
        "A line of the price list is no prefix, channel, price and currency. Its people are counted as without a price.",
    ),
    "bad-suppression": Page(
        E,
        "A line of a suppression list is no address. It may mean somebody who must not be written to, so it is an error.",
    ),
    "bad-row": Page(
        W, "The row cannot be read: another number of cells than the header, or characters that are no UTF-8."
    ),
    "no-address": Page(I, "The row has no address for this channel and is left out.", (11,)),
    "numbers-without-region": Page(
        W,
        "Most numbers of the audience have no + before them, and no `region:` says in which country they are read. A national number"
        " of one country can be a valid number of another: whoever has it there would get the message.",
    ),
    "empty-variable": Page(W, "This person's value is blank, and the variable is required."),
    "variable-too-long": Page(
        E, "This person's value is longer than the variable's `maxLength`. A plan blocks them."
    ),
    "longest-text": Page(
        I, "The longest text that anybody reads, so that a review can look at the worst case."
    ),
    "empty-audience": Page(E, "Nobody in the audience has an address for the channel.", (10,)),
}

CHOICES: Mapping[str, Page] = {
    "fixed-severity": Page(
        W,
        "`lint:` lowers, or an exception covers, an error without which no message could be made: a template that cannot be"
        " filled in, an audience that cannot be read. It stays an error.",
    ),
    "unused-exception": Page(
        W, "A `# notifyctl: ignore[…]` excepts nothing on its line. It would hide a later problem."
    ),
    "exception-without-reason": Page(W, "An exception says why it is made, for whoever reads it next."),
}

PAGES: Mapping[str, Page] = {
    **FORM,
    **TEXTS,
    **PEOPLE,
    **CHOICES,
    **{rule.id: Page(rule.severity.value, rule.page, rule.numbers, rule.profile) for rule in rules()},
}
