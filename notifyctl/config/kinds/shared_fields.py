"""Fields that several kinds share: the head of a document, names, locales, variables and references to secrets."""

from __future__ import annotations

from notifyctl.config.fields import (
    Choice,
    Field,
    Integer,
    Table,
    Text,
)
from notifyctl.config.scalar_types import parse_region
from notifyctl.rulebook import substitutions

API_VERSION = "notifyctl/v1"
NAME = r"[a-z0-9][a-z0-9.-]{0,62}"
LOCALE = r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*"
ENVIRONMENT_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"


def name_text(description: str, *examples: str) -> Text:
    return Text(
        description=description,
        examples=examples,
        pattern=NAME,
        pattern_description="1 to 63 lower-case letters, digits, dots and hyphens, starting with a letter or digit",
    )


def locale_text(description: str) -> Text:
    return Text(
        description=description,
        examples=("en", "fr-CA"),
        pattern=LOCALE,
        pattern_description="a language tag, for example en or fr-CA",
    )


def head(kind: str, name: Text | None) -> tuple[Field, ...]:
    """Returns the keys at the start of every document of a kind."""
    fields = (
        Field(
            name="apiVersion",
            shape=Choice(values=(API_VERSION,), description="Version of this format."),
            required=True,
        ),
        Field(
            name="kind",
            shape=Choice(values=(kind,), description="Kind of this document."),
            required=True,
        ),
    )
    return (*fields, Field(name="name", shape=name, required=True)) if name else fields


def secret(name: str, what: str, example: str) -> tuple[Field, Field]:
    """Returns the two keys that name a secret: an environment variable or a mounted file."""
    variable = Text(
        description=f"Environment variable with {what}.",
        examples=(example,),
        pattern=ENVIRONMENT_VARIABLE,
        pattern_description="the name of an environment variable, not the secret itself",
        private=True,
    )
    file = Text(
        description=f"File with {what}, for example a mounted secret.",
        examples=(f"/run/secrets/{example.lower()}",),
        min_length=1,
    )
    return Field(name=f"{name}Env", shape=variable), Field(name=f"{name}File", shape=file)


def either_of(name: str) -> tuple[str, str]:
    return f"{name}Env", f"{name}File"


VARIABLE = r"[^()\s]+"
"""The name in `$(name)` (rule 30)."""

EDITION = Integer(
    minimum=1, description="Version number. Raise it to send to all recipients again.", examples=(2,)
)

SUBSTITUTIONS = Table(value=Text(description="Value of $(name)."), keys=VARIABLE, rule=substitutions.VALUES)


def region_text(description: str) -> Text:
    """A country in which numbers without + are read."""
    return Text(description=description, examples=("GB",), parse=parse_region)
