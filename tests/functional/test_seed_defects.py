"""The three samples of the API page, transcribed with their defects: lint reports each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parents[1] / "cases" / "seed"

DEFECTS = {
    "sms": {
        "$(area) has no value": ("missing-variable", 8),
        "so nobody can be sent to": ("unresolved-variable", 9),
        "`name` is read by no text": ("unread-substitution", 14),
        "booleans are written as texts": ("string-boolean", 17),
        "both of them": ("string-boolean", 18),
        "receipts are spelled in three ways": ("receipt-spelling", 25),
        "and each its own": ("receipt-spelling", 27),
    },
    "email": {
        "the sender is no address": ("email-sender", 5),
        "two people share one person's values": ("shared-substitutions", 8),
        "no text reads accountNumber": ("unread-substitution", 8),
        "a correlation id stands twice": ("correlation-id-repeated", 11),
        "no text reads offerName": ("unread-substitution", 15),
        "no text reads value": ("unread-substitution", 16),
        "each reader's e-mail is copied": ("copies-for-everybody", 17),
        "png, says the type of a jpg": ("attachment-type", 29),
        "${field2} is no placeholder": ("foreign-placeholder", 30),
        "a link over http": ("insecure-link", 31),
        "html without html": ("email-html", 41),
    },
    "rcs": {
        "an orientation that is a list of choices": ("sample-value", 24),
        "a height likewise": ("sample-value", 27),
        "a width likewise": ("sample-value", 49),
        "READ without a message": ("agent-event-message", 61),
    },
}


@pytest.mark.parametrize(("sample", "defect"), [(s, d) for s, defects in DEFECTS.items() for d in defects])
def test_each_defect_is_reported(cli: Any, sample: str, defect: str) -> None:
    shutil.copytree(SAMPLES / sample, cli.root, dirs_exist_ok=True)
    result = cli("lint", "--format", "json")
    assert result.code == 1
    told = {(each["rule"], each["line"]) for each in json.loads(result.out)["diagnostics"]}
    assert DEFECTS[sample][defect] in told


@pytest.mark.parametrize("sample", DEFECTS)
def test_every_error_is_a_defect_of_the_sample(cli: Any, sample: str) -> None:
    shutil.copytree(SAMPLES / sample, cli.root, dirs_exist_ok=True)
    diagnostics = json.loads(cli("lint", "--format", "json").out)["diagnostics"]
    errors = {(each["rule"], each["line"]) for each in diagnostics if each["severity"] == "error"}
    assert errors <= set(DEFECTS[sample].values())
