"""The projects that benchmarks measure: templates, audiences and notifications made by arithmetic, each in several shapes.

Numbers are made with a calling code that is given to no country, because so many are not set aside for examples.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROJECT_HEAD = """\
apiVersion: notifyctl/v1
kind: Project
name: bench
vars: {brand: Acme Power}
lint: {unused-template: 'off', needs-unicode: 'off'}
environments:
  sandbox: {provider: sandbox, senders: {sms: ACME}}
"""

# -- Templates ------------------------------------------------------------------------------------------------------

TEMPLATE = """\
apiVersion: notifyctl/v1
kind: Template
name: outage-{number}
description: Tells customers of area {number} that their supply is interrupted.
channel: sms
category: transactional
variables:
  name:
    example: Ada
    maxLength: 40
  area:
    example: EC1M
    maxLength: 12
  hours:
    default: "4"
content:
  type: {kind}
  text: >-
    {hello} $(name), $(area): {interrupted}
    $(hours) h. {number}. {{{{ brand }}}}
options:
  shortenLinks: false
locales:
"""
LOCALE = """\
  {locale}:
    content:
      text: >-
        {hello} $(name), $(area): {interrupted}
        $(hours) h. {number}. {{{{ brand }}}}
"""
LATIN = {
    "en": ("Hello", "the supply is interrupted, we expect it back in about"),
    "de": ("Hallo", "die Versorgung ist unterbrochen, voraussichtlich"),
    "es": ("Hola", "el suministro se ha interrumpido, previsto"),
    "fr": ("Bonjour", "l'alimentation est interrompue, environ"),
    "it": ("Salve", "la fornitura \u00e8 interrotta, circa"),
    "nl": ("Hallo", "de levering is onderbroken, ongeveer"),
    "pl": ("Witaj", "dostawa jest przerwana, oko\u0142o"),
    "pt": ("Bom dia", "o fornecimento foi interrompido, cerca de"),
}
CYRILLIC = dict.fromkeys(LATIN, ("Здравствуйте", "подача прекращена, примерно"))
SMALL_TEMPLATE = """\
apiVersion: notifyctl/v1
kind: Template
name: outage-{number}
channel: sms
content:
  type: text
  text: Hello $(name), the supply in $(area) is interrupted. {{{{ brand }}}}
"""


def template(number: int, *, script: str = "latin") -> str:
    """A template file of 58 lines in eight languages, as templates in use have."""
    texts = CYRILLIC if script == "cyrillic" else LATIN
    kind = "unicode" if script == "cyrillic" else "text"
    (hello, interrupted), *_ = texts.values()
    head = TEMPLATE.format(number=number, kind=kind, hello=hello, interrupted=interrupted)
    return head + "".join(
        LOCALE.format(locale=locale, hello=words[0], interrupted=words[1], number=number)
        for locale, words in list(texts.items())[1:]
    )


def small_template(number: int) -> str:
    """A template file of 7 lines."""
    return SMALL_TEMPLATE.format(number=number)


# -- Audiences ------------------------------------------------------------------------------------------------------

PLAIN_NAMES = (
    "Ada",
    "Grace",
    "Edsger",
    "Barbara",
    "Alan",
    "Katherine",
    "Linus",
    "Margaret",
    "Donald",
    "Radia",
)
FOREIGN_NAMES = (
    "Zo\u00eb",
    "Gr\u00e2ce",
    "\u0141ukasz",
    "B\u00e4rbel",
    "Alan",
    "\u041e\u043b\u044c\u0433\u0430",
    "Linus",
    "\u0395\u03bb\u03ad\u03bd\u03b7",
    "Donald",
    "Ren\u00e9e",
)
TEXT = "Hi $(name), there is an outage in your area $(area) for the next $(value)."
LONG_TEXT = (
    "Hi $(name), there is an outage in your area $(area) for the next $(value). Our engineers are on their way and work until the"
    " supply is back. If somebody in your home depends on medical equipment, please call us at once. We are sorry for the trouble."
)
VARIANTS = {
    "": TEXT,
    "de": "Hallo $(name), in $(area) ist der Strom weg, voraussichtlich $(value).",
    "fr": "Bonjour $(name), une panne touche $(area), encore $(value) environ.",
    "pl": "Witaj $(name), awaria w $(area) potrwa jeszcze oko\u0142o $(value).",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """How an audience looks. `texts`: the text for each locale, "" the one without. `quoted`: each cell in quotes, areas with a
    comma. `kind`: the `type` of the content. `names`: first names, a number is appended.
    """

    name: str
    texts: Mapping[str, str] = field(default_factory=lambda: {"": TEXT})
    quoted: bool = False
    kind: str = "text"
    names: tuple[str, ...] = PLAIN_NAMES

    def notification(self) -> str:
        locales = "".join(
            f'    {locale}: {{content: {{text: "{text}"}}}}\n'
            for locale, text in self.texts.items()
            if locale
        )
        columns = "{msisdn: phone, locale: locale}" if locales else "{msisdn: phone}"
        return (
            "apiVersion: notifyctl/v1\nkind: Notification\nname: outage\njoiners: send\n"
            f'template:\n  channel: sms\n  content: {{type: {self.kind}, text: "{self.texts[""]}"}}\n'
            + (f"  locales:\n{locales}" if locales else "")
            + f"audience: {{source: {{file: people.csv}}, columns: {columns},"
            " substitutions: {name: name, area: area, value: value}}\n"
        )

    def values(self, person: int) -> tuple[str, str, str]:
        """What is filled in for a person: name, area and value."""
        comma = "," if self.quoted else ""
        return (
            f"{self.names[person % 10]}{person % 9973}",
            f"EC{person % 97}M{comma} {person % 9}AB",
            f"{person % 24} hours",
        )


PLAIN = Shape("one text, ASCII, no quotes")
QUOTED = Shape("every cell in quotes", quoted=True)
FOREIGN = Shape("four languages, beyond ASCII", texts=VARIANTS, kind="unicode", names=FOREIGN_NAMES)
LONG = Shape("text of two segments", texts={"": LONG_TEXT})
SHAPES = (PLAIN, QUOTED, FOREIGN, LONG)

PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: big
defaultEnvironment: production
policy: {{maxRecipients: 100000000, maxGrowthPercent: 1000000}}
environments:
  production:
    provider: webexconnect
    endpoint: {endpoint}
    auth: {{serviceKeyEnv: SERVICE_KEY}}
    senders: {{sms: CNNECT}}
    limits: {limits}
"""
UNLIMITED = "{tps: 10000000, concurrency: 4}"


def number(person: int) -> str:
    """Spread over the list, as real numbers are."""
    return f"+446{person * 7919 % 999_999_937:09}"


def write_people(path: Path, people: range, shape: Shape, *, dirty: bool = True) -> None:
    """One row in a hundred is a duplicate, one in two hundred has no sound number; none is where not `dirty`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(
            file, quoting=csv.QUOTE_ALL if shape.quoted else csv.QUOTE_MINIMAL, lineterminator="\n"
        )
        rows.writerow(("phone", "name", "area", "value", "mail", "locale"))
        rows.writerows(cells(people, shape, dirty=dirty))


def cells(people: range, shape: Shape, *, dirty: bool) -> Iterator[tuple[str, ...]]:
    locales = list(shape.texts)
    for row, person in enumerate(people):
        if dirty and row % 100 == 99:
            person = people[row - 1]  # noqa: PLW2901 - the row before, once more
        phone = "unknown" if dirty and row % 200 == 50 else number(person)
        locale = locales[person % len(locales)]
        yield (phone, *shape.values(person), f"reader{person}@reader.example", locale)


def write_project(root: Path, *, endpoint: str, shape: Shape = PLAIN, limits: str = UNLIMITED) -> None:
    """A project with one notification, without its audience."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "notifyctl.yaml").write_text(PROJECT.format(endpoint=endpoint, limits=limits), encoding="utf-8")
    (root / "outage.yaml").write_text(shape.notification(), encoding="utf-8")
