"""What happens when a definition changes after people have it: nobody is sent the same thing twice, or other words in silence."""

from __future__ import annotations

from typing import Any

import pytest

HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
{extra}template: {{channel: sms, content: {{type: text, text: {text} $(name)}}}}
audience: {{source: {{file: people.csv}}}}
"""
ROWS = ["+447700900001,Ada", "+447700900002,Grace", "+447700900003,Linus"]


@pytest.fixture
def served(production: Any) -> Any:
    """Three people already have edition 1."""
    edit(production)
    people(production, ROWS)
    assert production.apply().code == 0
    return production


def edit(cli: Any, *, text: str = "Hello", extra: str = "") -> None:
    cli.write(hello=HELLO.format(text=text, extra=extra))


def people(cli: Any, rows: list[str]) -> None:
    cli.write(**{"people.csv": "\n".join(["msisdn,name", *rows]) + "\n"})


def counts(cli: Any) -> dict[str, int]:
    return {action: count for action, count in cli.plan()["summary"].items() if count}


def test_a_changed_word_is_told_and_not_sent(served: Any, foreign: Any) -> None:
    edit(served, text="Goodbye")
    assert counts(served) == {"changed-after-send": 3}
    result = served.apply()
    assert (result.code, result.json["requests"], len(foreign.requests)) == (3, 0, 1)


def test_a_changed_value_is_told_for_the_one_who_has_it(served: Any) -> None:
    people(served, [*ROWS[:2], "+447700900003,Linus T."])
    assert counts(served) == {"unchanged": 2, "changed-after-send": 1}


def test_what_nobody_can_notice_changes_nothing(served: Any) -> None:
    edit(served, extra="callbackData: december\npriority: 3\n")
    assert counts(served) == {"unchanged": 3}


def test_a_higher_edition_sends_to_everyone_again(served: Any, foreign: Any) -> None:
    edit(served, text="Goodbye", extra="edition: 2\n")
    assert counts(served) == {"resend": 3}
    assert served.apply().code == 0
    assert sorted(foreign.addresses) == sorted(2 * [row.partition(",")[0] for row in ROWS])
    assert counts(served) == {"unchanged": 3}


def test_one_who_joined_is_blocked_while_joiners_are_held(served: Any, foreign: Any) -> None:
    people(served, [*ROWS, "+447700900004,Tim"])
    plan = served.plan()
    assert (plan["summary"]["blocked"], plan["summary"]["unchanged"]) == (1, 3)
    assert plan["notifications"][0]["reasons"]["blocked"] == {"joiners-held": 1}
    assert served.apply().code == 3
    assert len(foreign.requests) == 1


def test_one_who_joined_is_sent_to_alone_where_joiners_are_let_in(served: Any, foreign: Any) -> None:
    people(served, [*ROWS, "+447700900004,Tim"])
    edit(served, extra="joiners: send\n")
    assert counts(served) == {"send-new": 1, "unchanged": 3}
    assert served.apply().code == 0
    assert foreign.requests[-1].body["to"][0]["msisdn"] == ["+447700900004"]
    assert counts(served) == {"unchanged": 4}


def test_one_who_left_is_not_spoken_of(served: Any) -> None:
    people(served, ROWS[:2])
    assert counts(served) == {"unchanged": 2}


def test_the_way_a_number_is_written_makes_nobody_another_person(served: Any) -> None:
    people(served, ["447700900001,Ada", "+44 7700 900002,Grace", "0044 7700 900003,Linus"])
    assert counts(served) == {"unchanged": 3}


def test_a_withdrawn_edition_is_not_sent(production: Any, foreign: Any) -> None:
    edit(production)
    people(production, ROWS)
    production.write(
        withdraw="apiVersion: notifyctl/v1\nkind: Withdraw\nnotification: hello\nedition: 1\nreason: wrong day\n"
    )
    assert counts(production) == {"withdrawn": 3}
    assert production.apply().code == 0
    assert foreign.requests == []


def test_a_moved_notification_keeps_its_facts(served: Any) -> None:
    name = (served.root / "hello.yaml").read_text().replace("name: hello", "name: greeting")
    served.write(hello=name, moved="apiVersion: notifyctl/v1\nkind: Moved\nfrom: hello\nto: greeting\n")
    assert counts(served) == {"unchanged": 3}


def test_growth_over_the_threshold_is_blocked_whole(production: Any, foreign: Any) -> None:
    edit(production, extra="joiners: send\n")
    rows = [f"+4477009001{n:02d},P{n}" for n in range(13)]
    people(production, rows[:10])
    assert production.apply().code == 0
    people(production, rows[:12])
    assert counts(production) == {"unchanged": 10, "send-new": 2}
    people(production, rows)
    assert counts(production) == {"unchanged": 10, "blocked": 3}
    assert production.apply().code == 3
    assert len(foreign.requests) == 1


def test_more_recipients_than_the_limit_are_blocked_whole(production: Any, foreign: Any) -> None:
    edit(production, extra="limits: {maxRecipients: 2}\n")
    people(production, ROWS)
    assert counts(production) == {"blocked": 3}
    assert production.apply().code == 3
    assert foreign.requests == []


def test_the_fence_keeps_everybody_else_out(production: Any, foreign: Any) -> None:
    project = (production.root / "notifyctl.yaml").read_text()
    production.write(notifyctl=project + '    fence: {allow: ["+447700900002"]}\n')
    edit(production)
    people(production, ROWS)
    assert counts(production) == {"send": 1, "suppressed": 2}
    assert production.apply().code == 0
    assert foreign.addresses == ["+447700900002"]


def test_who_opted_out_is_suppressed(production: Any, foreign: Any) -> None:
    project = (production.root / "notifyctl.yaml").read_text()
    production.write(notifyctl=project + "suppressions: [opt-out.csv]\n")
    production.write(**{"opt-out.csv": "msisdn\n+44 7700 900002\n"})
    edit(production)
    people(production, ROWS)
    assert counts(production) == {"send": 2, "suppressed": 1}
    assert production.apply().code == 0
    assert "+447700900002" not in foreign.addresses


def test_a_missing_value_blocks_the_one_who_lacks_it(production: Any, foreign: Any) -> None:
    edit(production)
    people(production, [*ROWS[:2], "+447700900003,"])
    plan = production.plan()
    assert (plan["summary"]["send"], plan["summary"]["blocked"]) == (2, 1)
    assert plan["notifications"][0]["reasons"]["blocked"] == {"missing-variable name": 1}
    assert production.apply().code == 3
    assert sorted(foreign.addresses) == ["+447700900001", "+447700900002"]


def test_a_certain_rejection_ends_with_6_and_is_a_retry_next_time(production: Any, foreign: Any) -> None:
    edit(production)
    people(production, ROWS)
    foreign.answers = [(400, b'{"code":"7004","message":"Invalid parameter - from"}')]
    result = production.apply()
    assert result.code == 6
    assert "7004" in str(result.json["reasons"])
    assert counts(production) == {"retry": 3}
    assert production.apply().code == 0
    assert counts(production) == {"unchanged": 3}


def test_an_answer_that_says_nothing_ends_with_7_and_is_never_sent_again(
    production: Any, foreign: Any
) -> None:
    edit(production)
    people(production, ROWS)
    foreign.answers = [(500, b"")]
    assert production.apply().code == 7
    assert counts(production) == {"uncertain": 3}
    assert production.apply().code == 7
    assert len(foreign.requests) == 1


def test_a_refused_token_ends_the_run_with_1(production: Any, foreign: Any) -> None:
    edit(production)
    people(production, ROWS)
    foreign.answers = [(401, b"")]
    result = production.apply()
    assert result.code == 1
    assert counts(production) == {"retry": 3}


def test_too_many_requests_are_waited_out(production: Any, foreign: Any) -> None:
    edit(production)
    people(production, ROWS)
    foreign.answers = [(429, b'{"code":"7020","message":"You have reached the maximum transaction limit"}')]
    result = production.apply()
    assert (result.code, result.json["outcomes"]["accepted"]) == (0, 3)
    assert len(foreign.requests) == 2
