"""Which effect a changed setting has: directions of safeguards, and what nobody has classified."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from notifyctl.audience.suppressions import Terms
from notifyctl.model.project import Category, ChannelName, Window
from notifyctl.plan.effects import UNPROVEN, Effect, ranked
from notifyctl.plan.opt_out_diff import compare_lists
from notifyctl.plan.setting_rules import ENVIRONMENT, NOTIFICATION, PROJECT, judge_content, judge_setting

LOOSENED, TIGHTENED = Effect.LOOSENED, Effect.TIGHTENED
DAY = Window(start=time(8), until=time(20))
NIGHT = Window(start=time(20), until=time(8))


def safety(effects: tuple[Effect, ...]) -> set[Effect]:
    return set(effects) & {LOOSENED, TIGHTENED}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (DAY, None, {LOOSENED}),
        (None, DAY, {TIGHTENED}),
        (DAY, NIGHT, {LOOSENED, TIGHTENED}),
        (DAY, Window(start=time(8), until=time(21)), {LOOSENED}),
        (DAY, Window(days=(0, 1), start=time(8), until=time(20)), {TIGHTENED}),
        (NIGHT, Window(start=time(19), until=time(8)), {LOOSENED}),
        (Window(), None, set()),
    ],
)
def test_a_window_is_compared_by_its_minutes(
    before: Window | None, after: Window | None, expected: set[Effect]
) -> None:
    one, other = ((each,) if each else None for each in (before, after))
    found = judge_setting(NOTIFICATION, "schedule.window", one, other)
    assert safety(found) == expected
    assert (Effect.RESCHEDULED in found) == bool(expected)


@pytest.mark.parametrize(
    ("key", "before", "after", "expected"),
    [
        ("limits.maxRecipients", 10, None, {LOOSENED}),
        ("limits.maxRecipients", None, 10, {TIGHTENED}),
        ("schedule.grace", timedelta(hours=1), timedelta(minutes=30), {TIGHTENED}),
        ("schedule.expireAfter", timedelta(hours=1), None, {LOOSENED}),
        ("schedule.expireAt", datetime(2026, 12, 1, 9), datetime(2026, 12, 1, 8), {TIGHTENED}),
        ("template.variables.name.required", None, True, set()),
        ("template.variables.name.required", True, False, {LOOSENED}),
    ],
)
def test_thresholds_have_a_safe_direction(
    key: str, before: object, after: object, expected: set[Effect]
) -> None:
    assert safety(judge_setting(NOTIFICATION, key, before, after)) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, (), {TIGHTENED}),  # an empty allow-list allows nobody
        ((), None, {LOOSENED}),
        (("a",), ("a", "b"), {LOOSENED}),
        (("a",), ("b",), {LOOSENED, TIGHTENED}),
        (("a", "b"), ("b", "a"), set()),
    ],
)
def test_no_allow_list_allows_everybody(before: object, after: object, expected: set[Effect]) -> None:
    assert safety(judge_setting(ENVIRONMENT, "fence.allow", before, after)) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("error", "warning", {LOOSENED}),
        ("off", "info", {TIGHTENED}),
        (None, "off", {LOOSENED}),
        (None, "error", {TIGHTENED}),
        ("off", None, {TIGHTENED}),
        ("warning", None, {LOOSENED, TIGHTENED}),  # the rule's own severity may be either
    ],
)
def test_a_severity_that_is_not_set_may_be_any(
    before: str | None, after: str | None, expected: set[Effect]
) -> None:
    assert safety(judge_setting(PROJECT, "lint.some-rule", before, after)) == expected


@pytest.mark.parametrize("table", [NOTIFICATION, ENVIRONMENT, PROJECT])
def test_what_nobody_classified_is_shown_as_an_effect(table: object) -> None:
    assert judge_setting(table, "madeUp", None, 1) == UNPROVEN  # type: ignore[arg-type]
    assert Effect.NONE not in UNPROVEN


def test_a_part_of_a_message_that_nobody_classified_is_text() -> None:
    assert judge_content("content.madeUp.0.text") == (Effect.TEXT,)
    assert judge_content("options.madeUp") == (Effect.TEXT,)


def test_no_effect_stands_alone_and_the_gravest_first() -> None:
    assert ranked([Effect.NONE]) == (Effect.NONE,)
    assert ranked([Effect.NONE, Effect.DELIVERY, Effect.TEXT]) == (Effect.TEXT, Effect.DELIVERY)


SMS = Terms("letter", channels=frozenset({ChannelName.SMS}))
ANYWHERE = Terms("phone")
FROM_JUNE = Terms(since=datetime(2026, 6, 1, tzinfo=UTC))
MARKETING = Terms(categories=frozenset({Category.MARKETING}))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (SMS, ANYWHERE, {TIGHTENED}),
        (ANYWHERE, SMS, {LOOSENED}),
        (SMS, MARKETING, {LOOSENED, TIGHTENED}),
        (ANYWHERE, FROM_JUNE, {LOOSENED}),
        (ANYWHERE, Terms("another reason"), set()),
    ],
)
def test_terms_of_an_opt_out_are_compared_by_what_they_cover(
    before: Terms, after: Terms, expected: set[Effect]
) -> None:
    [change] = compare_lists({"a.csv": {"+447700900001": {before}}}, {"a.csv": {"+447700900001": {after}}})
    assert safety(change.effects) == expected
    assert (change.added, change.removed, change.altered) == (0, 0, 1)


def test_an_opt_out_in_another_list_still_protects() -> None:
    both = {"a.csv": {"+447700900001": {SMS}}, "b.csv": {"+447700900001": {ANYWHERE}}}
    [change] = compare_lists(both, {"b.csv": both["b.csv"]})
    assert change.effects == (Effect.NONE,)
    changes = {each.file: each for each in compare_lists(both, {"a.csv": both["a.csv"]})}
    assert changes["b.csv"].effects == (LOOSENED,)
