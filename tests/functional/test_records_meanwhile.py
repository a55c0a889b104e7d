"""A plan says whether records came into the ledger while it was made: it may not know them, and apply plans again."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from notifyctl.app.plan import make_plan
from notifyctl.app.workspace import open_workspace
from notifyctl.model.events import Receipt
from notifyctl.views.markdown import render
from notifyctl.views.plan import as_text, public_plan

NOTIFICATION = """\
apiVersion: notifyctl/v1
kind: Notification
name: outage
template: {channel: sms, content: {type: text, text: Power is back}}
audience: {recipients: [{msisdn: "+447700900001"}]}
"""


def test_every_view_says_how_many(production: Any) -> None:
    production.write(outage=NOTIFICATION)
    workspace = open_workspace(production.root)
    plan = make_plan(workspace, workspace.environment(None))
    assert plan.records_added == 0
    assert "while this plan was made" not in as_text(plan, colour=False)
    late = replace(plan, records_added=3)
    words = "3 records were added to the ledger while this plan was made"
    assert words in as_text(late, colour=False)
    assert f"> {words}" in render(late, None, folder="", settled=False)
    assert public_plan(late)["records_added"] == 3
    assert late.digest == plan.digest


def add_receipt(inbox: Any, moment: Any) -> None:
    assert inbox.add([Receipt(digest=b"\1" * 32, at=moment, status="delivered")]) == 1


def test_a_sqlite_ledger_is_read_as_of_one_moment(production: Any) -> None:
    from notifyctl.app.ledger import ledger_store

    production.write(outage=NOTIFICATION)
    workspace = open_workspace(production.root)
    environment = workspace.environment(None)
    with ledger_store(
        workspace, environment
    ).inbox() as inbox:  # it is open, so that readers do not refuse changes
        added: list[object] = []

        def progress(step: object) -> None:
            if not added:
                add_receipt(inbox, workspace.clock.now())
                added.append(step)

        plan = make_plan(replace(workspace, show_progress=progress), environment)
    assert added
    assert plan.records_added == 0
