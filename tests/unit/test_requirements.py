"""What a machine lacks fails in CI, and is named in one line elsewhere."""

from __future__ import annotations

import pytest

from tests import requirements


@pytest.fixture
def outside_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in requirements.IN_CI:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", requirements.IN_CI)
def test_in_ci_what_is_missing_fails(name: str, outside_ci: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "true")
    with pytest.raises(pytest.fail.Exception, match="CI must have spin"):
        requirements.missing("spin")


@pytest.mark.parametrize("value", ["", "0", "false"])
def test_elsewhere_it_skips(value: str, outside_ci: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", value)
    with pytest.raises(pytest.skip.Exception, match="NOT TESTED: spin"):
        requirements.missing("spin")


@pytest.mark.parametrize("name", requirements.PROGRAMS)
def test_a_program_that_is_not_there_says_how_to_get_it(
    name: str, outside_ci: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(pytest.skip.Exception, match=rf"NOT TESTED: {name} \(apt-get install "):
        requirements.program(name)


def test_one_line_names_all_that_was_not_tested() -> None:
    reasons = ["Skipped: NOT TESTED: spin (a)", "Skipped: takes long", "Skipped: NOT TESTED: chromium (b)"]
    assert requirements.summary([*reasons, *reasons]) == "NOT TESTED: chromium (b); spin (a)"
    assert requirements.summary(["Skipped: takes long"]) is None
