"""The rule book: every rule has an id, a page, a severity and two cases; every number of the API's rules is accounted for.

tests/cases/rules/<rule>/fires is a small project that breaks the rule: on the lines that end with `# breaks`, or on those
that expected.txt names (file:line). tests/cases/rules/<rule>/sound is its twin that does not.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from notifyctl.app.lint import lint
from notifyctl.app.workspace import Workspace, open_workspace
from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.lint.rule_pages import PAGES
from notifyctl.rulebook import LAST, NOT_CHECKED, rules

CASES = Path(__file__).parents[2] / "cases" / "rules"
PROFILES = {"2021": "sandbox", "6.20": "later"}
"""Each case has an environment of either profile."""
MARK = "# breaks"
ELSEWHERE = {"trust-setting"}
"""Told by `plan --untrusted` alone, which compares with a commit; tests/functional/test_untrusted.py breaks it."""
LINTED = sorted(set(PAGES) - ELSEWHERE)


@cache
def opened(case: Path) -> Workspace:
    """Read once: the profiles differ in the environment only."""
    return open_workspace(case)


@cache
def found(case: Path, profile: str) -> list[Diagnostic]:
    return lint(opened(case), PROFILES[profile])


def expected(case: Path) -> set[str]:
    listed = case / "expected.txt"
    if listed.exists():
        return set(listed.read_text(encoding="utf-8").split())
    return {
        f"{path.name}:{number}"
        for path in case.glob("*.yaml")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if line.endswith(MARK)
    }


def places(diagnostics: list[Diagnostic], rule: str) -> set[str]:
    return {f"{d.location.file}:{d.location.line}" for d in diagnostics if d.rule == rule}


def test_every_rule_has_its_two_cases_and_every_case_its_rule() -> None:
    assert {case.name for case in CASES.iterdir()} == set(LINTED)
    for case in CASES.iterdir():
        assert {path.name for path in case.iterdir()} == {"fires", "sound"}, case


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("rule", LINTED)
def test_a_broken_file_is_reported_at_its_line(rule: str, profile: str) -> None:
    case = CASES / rule / "fires"
    wanted = expected(case)
    assert wanted, "the case says where it breaks"
    diagnostics = found(case, profile)
    holds = PAGES[rule].profile in {None, profile}
    assert places(diagnostics, rule) == (wanted if holds else set()), diagnostics
    for diagnostic in diagnostics:
        if diagnostic.rule == rule:
            assert diagnostic.message
            assert diagnostic.location.column > 0 or rule == "bad-suppression"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("rule", LINTED)
def test_its_sound_twin_passes(rule: str, profile: str) -> None:
    diagnostics = found(CASES / rule / "sound", profile)
    assert places(diagnostics, rule) == set()
    # A twin may use keys of the other profile.
    assert [d for d in diagnostics if d.severity is Severity.ERROR and d.rule != "profile-key"] == []


@pytest.mark.parametrize("rule", LINTED)
def test_the_severity_is_that_of_its_page(rule: str) -> None:
    profile = PAGES[rule].profile or "2021"
    told = {d.severity.value for d in found(CASES / rule / "fires", profile) if d.rule == rule}
    # A bad address is graver where somebody wrote it in YAML than in a row of a list.
    assert told == {PAGES[rule].severity}


def test_every_number_of_the_rule_book_is_built_or_listed_with_its_reason() -> None:
    built = {number for page in PAGES.values() for number in page.numbers}
    assert built | set(NOT_CHECKED) == set(range(1, LAST + 1))
    assert built & set(NOT_CHECKED) == set()
    assert all(len(reason.split()) > 5 for reason in NOT_CHECKED.values())


def test_ids_are_unique() -> None:
    ids = [rule.id for rule in rules()]
    assert len(ids) == len(set(ids))
