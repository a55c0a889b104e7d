"""The action table: each row, its precedence over those below, and what may never send."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.model.project import Joiners, OnUnknown
from notifyctl.plan.actions import AUTHORISED, SENDS, Action, Circumstances, Decision, Intent, decide


def decision(**given: Any) -> Decision:
    """The decision for a recipient about whom everything would send, but for what is given."""
    names = ("withdrawn", "expired", "deferred", "joiners", "baseline", "higher_edition", "unknown")
    circumstances = {name: given.pop(name) for name in names if name in given}
    facts: dict[str, Any] = {
        "kind": None,
        "same": True,
        "suppressed": None,
        "blocked": None,
        "joined": False,
        "earlier": False,
    }
    return decide(circumstances=Circumstances(**circumstances), **(facts | given))


EVERYTHING: dict[str, Any] = {
    "withdrawn": "w",
    "suppressed": "opted-out",
    "baseline": "letter",
    "expired": "e",
    "blocked": "b",
    "deferred": "d",
    "joined": True,
    "joiners": Joiners.SEND,
    "earlier": True,
}

TABLE: list[tuple[Action, dict[str, Any]]] = [
    (Action.UNCERTAIN, {"kind": "uncertain"}),
    (Action.UNCHANGED, {"kind": "accepted", "same": True}),
    (Action.CHANGED, {"kind": "accepted", "same": False}),
    (Action.WITHDRAWN, {"withdrawn": "w"}),
    (Action.SUPPRESSED, {"suppressed": "opted-out"}),
    (Action.BASELINE, {"baseline": "letter"}),
    (Action.EXPIRED, {"expired": "e"}),
    (Action.BLOCKED, {"blocked": "b"}),
    (Action.DEFERRED, {"deferred": "d"}),
    (Action.RETRY, {"kind": "rejected"}),
    (Action.SEND_NEW, {"joined": True, "joiners": Joiners.SEND}),
    (Action.RESEND, {"earlier": True}),
    (Action.SEND, {}),
]


@pytest.mark.parametrize(("action", "given"), TABLE)
def test_each_row_alone(action: Action, given: dict[str, Any]) -> None:
    assert decision(**given).action is action


@pytest.mark.parametrize("number", range(len(TABLE)))
def test_a_row_wins_over_all_below_it(number: int) -> None:
    action, _ = TABLE[number]
    facts: dict[str, Any] = {}
    for row in reversed(TABLE[number:]):
        facts.update(row[1])
    assert decision(**facts).action is action


def test_the_table_names_every_action_in_the_order_of_the_enum() -> None:
    assert [action for action, _ in TABLE] == list(Action)


def test_a_lower_edition_than_one_that_was_opened_is_blocked_at_any_moment() -> None:
    for facts in ({}, {"deferred": "quiet hours"}, {"joined": True}, {"earlier": True}):
        found = decision(higher_edition=3, **facts)
        assert (found.action, found.reason) == (Action.BLOCKED, "higher-edition 3")
    assert decision(higher_edition=3, kind="rejected").action is Action.RETRY
    uncertain = decision(higher_edition=3, kind="uncertain", unknown=OnUnknown.RESEND)
    assert uncertain.action is Action.BLOCKED
    assert decision(higher_edition=3, kind="accepted").action is Action.UNCHANGED


def test_who_has_the_text_under_a_removed_name_is_blocked_at_any_moment() -> None:
    for facts in ({}, {"deferred": "quiet hours"}, {"kind": "rejected"}, {"earlier": True}):
        found = decision(renamed="n", **facts)
        assert (found.action, found.reason) == (Action.BLOCKED, "suspected-rename of n")
    assert decision(renamed="n", baseline="letter").action is Action.BASELINE


def test_who_is_served_is_unchanged_whatever_the_text_is() -> None:
    for facts in ({}, {"same": False}, {"kind": "rejected"}, {"earlier": True}, {"withdrawn": "w"}):
        found = decision(served=True, **facts)
        assert (found.action, found.reason) == (Action.UNCHANGED, "baseline (recorded)")
    assert decision(served=True, kind="uncertain").action is Action.UNCERTAIN
    assert decision(served=True, kind="accepted", same=False).action is Action.CHANGED


def test_a_joiner_is_blocked_while_joiners_are_held() -> None:
    held = decision(joined=True)
    assert (held.action, held.reason) == (Action.BLOCKED, "joiners-held")
    assert decision(joined=True, deferred="quiet hours").action is Action.BLOCKED


def test_a_joiner_whose_attempt_was_not_accepted_is_retried_with_the_intent_it_had() -> None:
    again = decision(joined=True, joiners=Joiners.SEND, kind="rejected")
    assert (again.action, again.intent) == (Action.RETRY, Intent.JOINER)


@given(
    kind=st.sampled_from(["accepted", "uncertain"]),
    same=st.booleans(),
    facts=st.dictionaries(st.sampled_from(sorted(EVERYTHING)), st.just(None)),
)
def test_nobody_who_has_it_or_may_have_it_is_ever_authorised(
    *, kind: str, same: bool, facts: dict[str, None]
) -> None:
    """P1, at the planner: accepted or uncertain units never send, whatever else is true."""
    chosen = {name: EVERYTHING[name] for name in facts}
    assert decision(kind=kind, same=same, **chosen).action not in AUTHORISED


def test_only_four_actions_send() -> None:
    assert {action for action in Action if action.sends} == SENDS
    assert len(SENDS) == 4
