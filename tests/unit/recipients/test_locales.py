"""Language tags: those of BCP 47 with a language that there is, and which of them the default text is for."""

from __future__ import annotations

import pytest

from notifyctl.recipients.locales import is_valid, same_language


@pytest.mark.parametrize(
    "locale",
    [
        "de",
        "frr",
        "en-GB",
        "en_GB",
        "EN-gb",
        "zh-Hant-TW",
        "de-DE-1996",
        "es-419",
        "sl-rozaj",
        "de-CH-x-office",
        "iw",
    ],
)
def test_a_language_tag_is_valid(locale: str) -> None:
    assert is_valid(locale)


@pytest.mark.parametrize(
    "locale",
    ["Deutsch", "english", "jp", "cz", "a1", "de-", "-de", "C", "fr_CA.UTF-8", "de DE", "de,fr", "", "xx"],
)
def test_what_names_no_language_is_not(locale: str) -> None:
    assert not is_valid(locale)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("en-US", "en", True),
        ("en_GB", "en-US", True),
        ("zh-Hant", "zh-Hans", False),
        ("zh-Hant-TW", "zh", True),
        ("de", "nl", False),
        ("Deutsch", "deutsch", True),
    ],
)
def test_the_default_text_is_for_its_language(one: str, other: str, same: bool) -> None:  # noqa: FBT001
    assert same_language(one, other) is same
    assert same_language(other, one) is same
