"""Placeholders of other tools in a text: nothing fills them in, so recipients would see them.

Strong shapes, such as `*|FNAME|*`, are placeholders wherever they are. Weak ones, such as `{name}` and `[name]`, can be prose:
they are placeholders only where the word inside is a column or variable of the message, or is about unsubscribing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct

from notifyctl.model.message import UNSUBSCRIBE

OWN = re.compile(r"\{\{smartlink_\d+\}\}")
"""The API's own placeholder for a short link of the platform, which `{{ smartlink(5) }}` writes."""
NOT_A_NAME = frozenset(
    {"contact", "contactfield", "custom", "data", "default", "fallback", "html", "lead", "list", "mc", "merge", "model", "recipient",
     "subscriber", "user", "v", "var", "lt", "gt"}
)  # fmt: skip
"""Words with which other tools begin a placeholder before the name: `[[data:firstname]]`."""


class Family(NamedTuple):
    """A form of placeholder: who fills it in, and a regular expression. A weak one has the word inside as its only group."""

    tool: str
    pattern: str


STRONG = (
    Family("Mailchimp", r"\*\|[^|*\n]{1,64}\|\*"),
    Family("Salesforce Marketing Cloud", r"%%=[^\n]{1,200}?=%%"),
    Family("Salesforce Marketing Cloud", r"%%\[[^\[\]]{1,400}\]%%"),
    Family("Salesforce or Pardot", r"(?<!%)%%[A-Za-z_][\w .:-]{0,62}%%(?!%)"),
    Family("Salesforce or AWeber", r"\{![^{}\n]{1,80}\}"),
    Family("SMS templates (DLT)", r"\{#\w{1,40}#\}"),
    Family("Liquid or Twig", r"\{%[^{}\n]{1,120}%\}"),
    Family("Mustache or Handlebars", r"\{\{\{?[^{}]{1,200}\}\}\}?"),
    Family("FreeMarker, Velocity or JavaScript", r"\$!?\{[^{}\n]{1,64}\}"),
    Family("Ruby", r"#\{[A-Za-z_@$][^{}\n]{0,63}\}"),
    Family("Ruby", r"%\{[A-Za-z_][\w.]{0,62}\}"),
    Family("Azure Logic Apps", r"@\{[^{}\n]{1,80}\}"),
    Family("Smarty or MailerLite", r"\{\$[A-Za-z_][^{}\n]{0,80}\}"),
    Family(
        "Smarty",
        r"\{(?:if|elseif|foreach|section|include)\s(?=[^{}\n]*[$=!])[^{}\n]{1,120}\}|\{/(?:if|foreach|section)\}|\{else\}",
    ),
    Family(
        "ICU message formats", r"\{\s?[A-Za-z_]\w{0,62},\s?(?:plural|select|selectordinal|number|date|time)\b"
    ),
    Family("Mautic", r"\{[a-z]{3,20}=[\w.-]{1,62}(?:\|[^{}\n]{0,60})?\}"),
    Family("Python, Java or .NET", r"(?<![\w}\\^])\{1?\d(?:[,:][^{}\n]{1,40})?\}(?!\})"),
    Family(
        "Python or another tool",
        r"(?<![\w{\\])\{(?:[A-Za-z][A-Za-z0-9]*(?:[_.][A-Za-z0-9]+)+|[a-z]+(?:[A-Z][a-z0-9]+)+)(?:\s?\|[^{}\n]{0,60})?\}(?!\})",
    ),
    Family("Python", r"%\([A-Za-z_]\w{0,62}\)[sdif]"),
    Family("printf", r"(?<![\w%])(?<!\d )%(?:\d\$)?[sd@](?![\w%])"),
    Family("Mailgun or ActiveCampaign", r"(?<![\w%])%[A-Za-z_][A-Za-z0-9_.:-]{0,62}%(?![\w%])"),
    Family("Mailjet or GetResponse", r"\[\[[^\[\]\n]{1,64}\]\]"),
    Family("SendGrid or Emma", r"\[%[^\[\]\n]{1,64}%\]"),
    Family("Campaign Monitor or Sendy", r"\[[A-Za-z_]\w{0,62}\s?,\s?fallback=[^\[\]\n]{0,64}\]"),
    Family(
        "MailPoet",
        r"\[(?:subscriber|newsletter|link|user|date|custom|site|mailto):[\w-]{1,62}(?:\s?\|[^\[\]\n]{0,64})?\]",
    ),
    Family(
        "Campaign Monitor or Sendy",
        r"(?i:<(?:unsubscribe|webversion|preferences|forwardtoafriend|currentday(?:name)?|currentmonth(?:name)?|currentyear"
        r"|singleline|multiline|repeater)\b[^<>\n]{0,120}>)",
    ),
    Family("Eloqua", r"<span class=[\"']?eloquaemail\b[^<>\n]{0,60}>"),
    Family("FreeMarker", r"</?#(?:if|else|elseif|list|assign|include)\b[^>\n]{0,120}>"),
    Family("ERB, EJS or ASP", r"<%[-=:#!@]?[^%<>\n]{1,120}%>|&lt;%[-=:#!@]?[^%<>\n]{1,120}%&gt;"),
    Family("PHP", r"<\?(?:php\b|=)[^<>]{0,120}\?>"),
    Family("a mail merge", r"<<\s?[A-Za-z_][\w .]{0,62}>>|&lt;&lt;\s?[A-Za-z_][\w .]{0,62}&gt;&gt;"),
    Family("GOV.UK Notify", r"(?<![\w$])\(\([A-Za-z][\w ?.-]{0,62}\)\)"),
    Family("Zoho", r"\$\[[A-Za-z_][^\[\]\n]{0,62}\]\$?"),
    Family("Velocity", r"(?<![\w&])#(?:if|elseif|foreach|set|parse)\s?\([^()\n]{0,120}\)"),
    Family("Moosend", r"#recipient:[\w ]{1,62}#"),
    Family("Keap", r"~[A-Z]\w{0,40}\.\w{1,40}~"),
    Family("Razor", r"(?<![\w@.])@(?:Model|ViewBag|ViewData)\.\w[\w.]{0,62}"),
    Family("another tool", r"(?<![\w#])##[A-Za-z_][\w.]{0,62}##(?![\w#])"),
    Family("another tool", r"(?<![\w@])@@[A-Za-z_][\w.]{0,62}@@(?![\w@])"),
)
"""Where two begin at the same place, the first counts."""
PHRASE = r"([^\W\d][\w .-]{0,62})"
WORD = r"([^\W\d]\w{0,62})"
WEAK = (
    Family("Python or another tool", rf"(?<![\w{{$#@%\\])\{{\s?{PHRASE}(?:\|[^{{}}\n]{{0,60}})?\}}(?!\}})"),
    Family(
        "phpList, SendGrid or another tool", rf"(?<![\w\[$])\[\s?{PHRASE}(?:\|[^\[\]\n]{{0,60}})?\](?!\])"
    ),
    Family("a mail merge", rf"(?<!<)<{WORD}\s?/?>(?!>)|(?<!&lt;)&lt;{WORD}&gt;"),
    Family("a mail merge", rf"«\s?{PHRASE}»"),
    Family("SendGrid", rf"(?<![\w-])-{WORD}-(?![\w-])"),
    Family("Velocity, PHP or a shell", rf"(?<![\w$])\$!?{WORD}\$?(?![\w(])"),
    Family("Laravel or SQL", rf"(?<![\w:]):{WORD}(?![\w:(])"),
    Family("dotdigital or Drupal", rf"(?<![\w@.])@{WORD}@?(?![\w@.])"),
    Family("another tool", rf"(?<![\w%])%{WORD}(?![\w%])"),
    Family("another tool", rf"(?<![\w#&])#{WORD}#(?![\w#])"),
    Family("another tool", rf"(?<![\w~])~~?{WORD}~~?(?![\w~])"),
    Family("another tool", r"(?<!\w)__([^\W\d_](?:\w{0,60}[^\W_])?)__(?!\w)"),
    Family("another tool", rf"(?<![\w|])\|\|?{WORD}\|\|?(?![\w|])"),
    Family("another tool", rf"(?<![\w!])!!?{WORD}!!?(?![\w!])"),
    Family("another tool", rf"(?<![\w^])\^{WORD}\^(?![\w^])"),
)


def combine(families: Iterable[Family], first: str) -> re.Pattern[str]:
    """One pattern of all, with the number of the family as the name of its group. `first`: characters that one begins with."""
    each = (f"(?P<f{number}>{family.pattern})" for number, family in enumerate(families))
    return re.compile(f"(?=[{first}])(?:{'|'.join(each)})")


ANY_STRONG = combine(STRONG, r"*%{$#@<\[&(~")
ANY_WEAK = combine(WEAK, r"{\[<&«\-$:@%#~_|!^")
STRONG_SIGN = re.compile(r"[{%\[]|<[^ ]|&lt;|\*\||\(\(|##|@@|#[a-z]+[:(]|#[a-z]+ \(|~[A-Z]|@[MV]")
WEAK_SIGN = re.compile(r"(?<!\w)[-$:@%#~_|!^]+[^\W\d]|«")
"""One of the two is in every text with a placeholder of another tool: a look in place of all patterns. Weak ones in brackets
have the strong sign.
"""


class ForeignPlaceholder(Struct, frozen=True):
    """`text` as written, at the offset `start`; `name` is the column or variable that a weak one is about."""

    text: str
    start: int
    tool: str
    name: str | None = None


class KnownNames:
    """The columns and variables of a message. Another tool may write them in other letters: FIRSTNAME, First Name."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._written = {fold(name): name for name in sorted(names, reverse=True)}
        self._written.pop("", None)

    def __bool__(self) -> bool:
        return bool(self._written)

    def find(self, word: str) -> str | None:
        """The name as it is written here."""
        return self._written.get(fold(word))

    def nearest(self, word: str) -> str | None:
        from difflib import get_close_matches

        found = self.find(word)
        near = get_close_matches(fold(word), self._written, n=1, cutoff=0.7) if found is None else ()
        return self._written[near[0]] if near else found


UNSUBSCRIBES = re.compile(r"(?:list|link)?unsub(?:scribe)?(?:me)?(?:url|link|href)?")
"""What other tools call the link that `$(unsubscribe)` is, where the word is in brackets."""
NO_NAMES = KnownNames()


def fold(word: str) -> str:
    return re.sub(r"[\W_]+", "", word).casefold()


def has_foreign_sign(text: str, known: KnownNames = NO_NAMES) -> bool:
    """Whether a text needs a closer look."""
    return STRONG_SIGN.search(text) is not None or (bool(known) and WEAK_SIGN.search(text) is not None)


def find_foreign(
    text: str, known: KnownNames = NO_NAMES, *, prose: str | None = None
) -> Iterator[ForeignPlaceholder]:
    """The strong placeholders of a text, then the weak ones outside them, each in order of appearance. `prose`: the text with
    those parts blanked out where a weak one can be something else.
    """
    taken: list[tuple[int, int]] = []
    for found in ANY_STRONG.finditer(text):
        taken.append(found.span())
        if not OWN.fullmatch(found[0]):
            yield ForeignPlaceholder(found[0], found.start(), tool_of(found, STRONG))
    yield from find_weak(text if prose is None else prose, known, taken)


def find_weak(
    text: str, known: KnownNames, taken: Iterable[tuple[int, int]] = ()
) -> Iterator[ForeignPlaceholder]:
    """The weak placeholders of a text outside `taken`."""
    spans = list(taken)
    for found in ANY_WEAK.finditer(text):
        _, word = (group for group in found.groups() if group is not None)
        name = known.find(word)
        if name is None and found[0][0] in "{[<&" and UNSUBSCRIBES.fullmatch(fold(word)):
            name = UNSUBSCRIBE
        if name is not None and not any(start < found.end() and found.start() < end for start, end in spans):
            yield ForeignPlaceholder(found[0], found.start(), tool_of(found, WEAK), name)


def tool_of(found: re.Match[str], families: tuple[Family, ...]) -> str:
    return families[int(str(found.lastgroup)[1:])].tool


def suggest_placeholder(foreign: str, known: KnownNames = NO_NAMES) -> str:
    """What to write in place of another tool's placeholder: a hint."""
    if "unsub" in foreign.lower():
        return "write $(unsubscribe), which the platform fills in"
    if CONTROLS.match(foreign):
        return "a condition or loop can use `vars` only: {% if … %}; for each recipient's own value write $(name)"
    foreign = PREFIX.sub("", foreign)
    words = re.findall(r"[^\W\d_][\w.-]*(?: [^\W\d_][\w.-]*)*", foreign)
    names = [word for word in words if word.lower() not in NOT_A_NAME]
    name = next(filter(None, map(known.nearest, names)), None)
    if name is None:
        name = re.sub(r"\s+", "_", names[0]) if names and not PRINTF.fullmatch(foreign) else "name"
    return f"for each recipient's own value write $({name})"


CONTROLS = re.compile(
    r"(?:\*\||<%[-=]?|&lt;%|\{\{|\{%|\{|\[%|</?#|\[|#|%%\[)\s?[#/]?(?:if|else|elseif|elsif|end|endif|for|foreach|each|unless|list|set)\b",
    re.IGNORECASE,
)
PREFIX = re.compile(rf"\b(?:{'|'.join(sorted(NOT_A_NAME))})\.", re.IGNORECASE)
PRINTF = re.compile(r"%(?:\d\$)?[sd@]")
