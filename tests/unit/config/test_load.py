from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifyctl.config.load import LoadResult, load_project
from notifyctl.diagnostics import Location
from notifyctl.errors import ProjectError
from notifyctl.model.project import (
    Category,
    ChannelName,
    HandOff,
    Joiners,
    JwtAuth,
    Limits,
    Notification,
    Numbers,
    OnUnknown,
    Policy,
    Project,
    Secret,
    TpsCounts,
    Variable,
)
from notifyctl.testing import MemoryFiles

Load = Callable[[Mapping[str, str]], LoadResult]

HEAD = "apiVersion: notifyctl/v1\n"
HELLO = (
    HEAD
    + """kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {recipients: [{msisdn: "+447700900123", substitutions: {name: Ada}}]}
"""
)


def whole(loaded: LoadResult) -> Project:
    assert loaded.diagnostics == []
    assert loaded.project is not None
    return loaded.project


def rules(loaded: LoadResult) -> list[tuple[str, int, str]]:
    return [(each.location.file, each.location.line, each.rule) for each in loaded.diagnostics]


def only(load: Load, text: str) -> Notification:
    (notification,) = whole(load({"n.yaml": text})).notifications.values()
    return notification


def test_six_lines_are_a_notification_with_all_defaults(load: Load) -> None:
    hello = only(load, HELLO)
    assert (hello.name, hello.edition, hello.joiners, hello.on_unknown) == (
        "hello",
        1,
        Joiners.HOLD,
        OnUnknown.HOLD,
    )
    assert hello.policy == Policy(max_recipients=100_000, max_growth_percent=20, max_rejected_percent=2)
    assert (hello.template.name, hello.audience.name, hello.schedule) == ("hello", "hello", None)
    assert hello.channel is ChannelName.SMS
    assert hello.template.category is Category.TRANSACTIONAL
    assert hello.template.content == {"type": "text", "text": "Hello $(name)"}
    assert hello.audience.recipients is not None
    (ada,) = hello.audience.recipients
    assert ada.msisdn == ("+447700900123",)
    assert ada.substitutions == {"name": "Ada"}


def test_places_of_inline_parts_are_found_by_their_own_paths(load: Load) -> None:
    hello = only(load, HELLO)
    assert hello.template.positions.location("content", "text") == Location("n.yaml", 4, 54)
    assert hello.audience.recipients is not None
    assert hello.audience.recipients[0].location == Location("n.yaml", 5, 25)
    assert hello.positions.location("schedule") == Location("n.yaml", 1, 1)


def test_a_project_has_defaults_and_a_sandbox_even_if_it_names_none(load: Load) -> None:
    project = whole(load({}))
    assert (project.timezone, project.locale, project.default_environment) == ("UTC", "en", "sandbox")
    assert project.environments["sandbox"].is_sandbox
    assert project.environments["sandbox"].limits == Limits()


def test_environments_say_where_secrets_are(load: Load) -> None:
    text = (
        HEAD
        + """kind: Project
name: acme
environments:
  production:
    provider: webexconnect
    endpoint: https://api.eu.webexconnect.io/v2/messages
    profile: 6.20
    auth: {serviceKeyFile: /run/secrets/key, jwt: {serviceIdEnv: SERVICE_ID, secretEnv: SERVICE_SECRET}}
    senders: {sms: 80800}
    fence: {allow: ["+4477009*"]}
    limits: {tps: 50, tpsCounts: requests}
    ledger: {urlEnv: LEDGER_URL}
"""
    )
    production = whole(load({"notifyctl.yaml": text})).environments["production"]
    assert production.auth.service_key == Secret(file="/run/secrets/key")
    assert production.auth.jwt == JwtAuth(Secret(env="SERVICE_ID"), Secret(env="SERVICE_SECRET"))
    assert production.profile == "6.20"
    assert production.senders == {ChannelName.SMS: "80800"}
    assert production.fence == ("+4477009*",)
    assert production.limits == Limits(tps=50, tps_counts=TpsCounts.CALLS)
    assert production.ledger.url == Secret(env="LEDGER_URL")
    assert production.positions.location("limits", "tps").line == 12


def test_a_policy_is_narrowed_never_widened(load: Load) -> None:
    project = (
        HEAD
        + "kind: Project\nname: acme\npolicy: {maxRecipients: 500, maxSegments: 3, maxRejectedPercent: 10, requireUnsubscribe: [marketing]}\n"
    )
    limits = (
        "limits: {maxRecipients: 9000, maxGrowthPercent: 5, maxSegments: 2, maxRejectedPercent: 5,"
        " requireUnsubscribe: [transactional]}\n"
    )
    loaded = load({"notifyctl.yaml": project, "n.yaml": HELLO + limits})
    assert whole(loaded).notifications["hello"].policy == Policy(
        max_recipients=500,
        max_growth_percent=5,
        max_segments=2,
        max_rejected_percent=5,
        require_unsubscribe=(Category.MARKETING, Category.TRANSACTIONAL),
    )


def test_templates_keep_variables_locales_and_options(load: Load) -> None:
    text = (
        HEAD
        + """kind: Template
name: t
channel: sms
variables: {name: {example: Ada}, area: {required: false, default: 007, maxLength: 12}}
content: {type: text, textFile: hello.txt}
options: {shortenLinks: true}
locales: {fr: {content: {text: Bonjour}, options: {shortenLinks: false}}}
"""
    )
    template = whole(load({"t.yaml": text})).templates["t"]
    assert template.variables == (
        Variable("name", example="Ada"),
        Variable("area", required=False, default="007", max_length=12),
    )
    assert template.content == {"type": "text", "textFile": "hello.txt"}
    assert template.options == {"shortenLinks": True}
    assert template.locales["fr"].content == {"text": "Bonjour"}
    assert template.locales["fr"].options == {"shortenLinks": False}


@pytest.mark.parametrize("form", ["template: {id: 5S2X}", "id: 5S2X"])
def test_a_template_may_be_the_providers(load: Load, form: str) -> None:
    text = (
        HEAD
        + f"kind: Notification\nname: n\ntemplate: {{channel: sms, {form}}}\naudience: {{recipients: []}}\n"
    )
    template = only(load, text).template
    assert (template.remote_id, template.content) == ("5S2X", None)


def test_aliases_of_the_api_become_its_canonical_keys(load: Load) -> None:
    text = (
        HEAD
        + """kind: Template
name: t
channel: email
content:
  type: html
  subject: Hi
  html: <p>Hi</p>
  attachments: [{mimetype: image/png, mediaUrl: https://static.acme.example/a.png}]
"""
    )
    content = whole(load({"t.yaml": text})).templates["t"].content
    assert content is not None
    assert content["attachments"] == [
        {"mimeType": "image/png", "mediaUrl": "https://static.acme.example/a.png"}
    ]


def test_audiences_from_sources(load: Load) -> None:
    text = (
        HEAD
        + """kind: Audience
name: a
source: {file: data/people.csv}
columns: {msisdn: phone}
substitutions: {name: first_name}
where: age > 17
numbers: valid
---
apiVersion: notifyctl/v1
kind: Audience
name: b
source: {sql: select 1, urlEnv: CRM_URL}
"""
    )
    audiences = whole(load({"a.yaml": text})).audiences
    assert audiences["a"].source is not None
    assert audiences["a"].source.file == "data/people.csv"
    assert audiences["a"].columns == {"msisdn": "phone"}
    assert audiences["a"].substitutions == {"name": "first_name"}
    assert (audiences["a"].where, audiences["a"].numbers) == ("age > 17", Numbers.VALID)
    assert audiences["b"].source is not None
    assert audiences["b"].source.url == Secret(env="CRM_URL")
    assert audiences["b"].substitutions is None


def test_schedules_become_times_of_the_calendar(load: Load) -> None:
    text = (
        HEAD
        + """kind: Schedule
name: s
timezone: recipient
cron: 0 9 * * MON-FRI
from: 2026-12-01
until: 2026-12-31
window: {days: [fri, mon], from: 08:00, to: 24:00}
holidays: [2026-12-25]
grace: 30m
expireAt: 2026-12-01T18:00Z
handOff: provider
"""
    )
    schedule = whole(load({"s.yaml": text})).schedules["s"]
    assert (schedule.timezone, schedule.cron) == ("recipient", "0 9 * * MON-FRI")
    assert schedule.starts == datetime(2026, 12, 1)
    assert schedule.ends == datetime.combine(date(2026, 12, 31), time.max)
    (window,) = schedule.windows
    assert (window.days, window.start, window.until) == ((0, 4), time(8), time.max)
    assert schedule.holidays == (date(2026, 12, 25),)
    assert schedule.grace == timedelta(minutes=30)
    assert schedule.expire_at == datetime(2026, 12, 1, 18, tzinfo=UTC)
    assert schedule.hand_off is HandOff.PROVIDER


def test_statements_follow_moved_names(load: Load) -> None:
    text = HELLO + (
        "edition: 2\n"
        "---\napiVersion: notifyctl/v1\nkind: Moved\nfrom: old\nto: hello\n"
        "---\napiVersion: notifyctl/v1\nkind: Moved\nfrom: older\nto: old\n"
        "---\napiVersion: notifyctl/v1\nkind: Baseline\nnotification: hello\nedition: 2\nreason: sent by hand\n"
        "---\napiVersion: notifyctl/v1\nkind: Withdraw\nnotification: older\nedition: 1\n"
        "reason: called off\n"
    )
    project = whole(load({"n.yaml": text}))
    assert [(moved.source, moved.target) for moved in project.moved] == [("old", "hello"), ("older", "old")]
    assert (project.baselines[0].edition, project.withdrawals[0].edition) == (2, 1)


def test_what_is_sound_is_loaded_beside_what_is_not(load: Load) -> None:
    loaded = load({"a.yaml": HELLO, "b.yaml": "b: [\n", "c.yaml": HELLO.replace("hello", "c") + "zzz: 1\n"})
    assert rules(loaded) == [("b.yaml", 2, "yaml-syntax"), ("c.yaml", 6, "unknown-key")]
    assert loaded.project is not None
    assert list(loaded.project.notifications) == ["hello"]


def test_a_name_of_a_document_with_problems_still_exists(load: Load) -> None:
    template = HEAD + "kind: Template\nname: t\nchannel: fax\n"
    loaded = load(
        {
            "n.yaml": HEAD + "kind: Notification\nname: n\ntemplate: t\naudience: {recipients: []}\n",
            "t.yaml": template,
        }
    )
    assert rules(loaded) == [("t.yaml", 4, "channel")]
    assert loaded.project is not None
    assert loaded.project.notifications == {}


def test_problems_of_a_notification_do_not_hide_those_of_its_references(load: Load) -> None:
    text = HEAD + "kind: Notification\nname: n\ntemplate: t\naudience: a\nedition: 0\n"
    assert [line for _, line, _ in rules(load({"n.yaml": text}))] == [4, 5, 6]


def test_a_project_document_with_problems_leaves_no_project_but_all_problems(load: Load) -> None:
    loaded = load({"notifyctl.yaml": HEAD + "kind: Project\n", "n.yaml": HELLO + "zzz: 1\n"})
    assert loaded.project is None
    assert rules(loaded) == [("n.yaml", 6, "unknown-key"), ("notifyctl.yaml", 1, "missing-key")]


def test_without_a_project_file_there_is_nothing_to_load() -> None:
    with pytest.raises(ProjectError, match=r"no notifyctl\.yaml"):
        load_project(MemoryFiles({"n.yaml": HELLO}), [])


def test_a_file_whose_name_is_not_utf_8_is_a_problem_that_can_be_printed(load: Load) -> None:
    loaded = load({"caf\udce9.yaml": HELLO})
    assert [each.rule for each in loaded.diagnostics] == ["unreadable-file"]
    str(loaded.diagnostics).encode("utf-8")


KEYS = st.sampled_from(
    [
        "name",
        "channel",
        "content",
        "type",
        "text",
        "template",
        "id",
        "options",
        "locales",
        "fr",
        "variables",
        "audience",
        "recipients",
        "msisdn",
        "source",
        "sql",
        "file",
        "columns",
        "substitutions",
        "schedule",
        "at",
        "cron",
        "from",
        "until",
        "to",
        "window",
        "days",
        "limits",
        "cc",
        "smartlinks",
        "requestedReceipts",
        "environments",
        "sandbox",
        "provider",
        "auth",
        "jwt",
        "policy",
        "defaults",
        "notification",
        "edition",
        "reason",
    ]
)
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["sms", "hello", "text", "sandbox", "x", "2026-12-01", ""]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=15,
)
KINDS = ["Project", "Template", "Audience", "Schedule", "Notification", "Moved", "Baseline", "Withdraw"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.dictionaries(KEYS, JUNK, max_size=8)), max_size=3))
def test_no_document_whatever_ends_in_an_exception(
    load: Load, documents: list[tuple[str, dict[str, object]]]
) -> None:
    files = {
        f"{number}.yaml": json.dumps({"apiVersion": "notifyctl/v1", "kind": kind, **keys})
        for number, (kind, keys) in enumerate(documents)
    }
    loaded = load({**files, "hello.yaml": HELLO})
    assert loaded.project is not None


def test_loading_twice_finds_the_same_in_the_same_order(load: Load) -> None:
    files = {"b.yaml": "b: [\n", "a.yaml": HELLO + "zzz: 1\n", "c.yaml": "c: 1\n"}
    assert load(files).diagnostics == load(dict(reversed(files.items()))).diagnostics


def test_a_thousand_problems_of_a_file_are_told_and_other_files_are_read(load: Load) -> None:
    strange = "".join(f"k{n}: 1\n" for n in range(3000))
    found = load({"a.yaml": HELLO + strange + "---\n" + HELLO, "b.yaml": HELLO + "audiense: x\n"}).diagnostics
    here = [each for each in found if each.location.file == "a.yaml"]
    assert [each.rule for each in here] == ["unknown-key"] * 1000 + ["yaml-limits"]
    assert (here[0].location.line, here[-1].location.line) == (6, 1006)
    assert any("audience" in str(each.hint) for each in found if each.location.file == "b.yaml")


def test_the_nearest_of_many_names_is_still_found(load: Load) -> None:
    templates = "---\n".join(
        f"{HEAD}kind: Template\nname: text-{n}\nchannel: sms\ncontent: {{type: text, text: x}}\n"
        for n in range(1500)
    )
    notification = HEAD + "kind: Notification\nname: n\ntemplate: txet-1499\naudience: {recipients: []}\n"
    (problem,) = load({"templates.yaml": templates, "n.yaml": notification}).diagnostics[:1]
    assert (problem.rule, problem.hint) == ("unknown-reference", "did you mean `text-1499`?")


def test_hundreds_of_dangling_references_are_told_each(load: Load) -> None:
    template = f"{HEAD}kind: Template\nname: hello\nchannel: sms\ncontent: {{type: text, text: x}}\n"
    notifications = "---\n".join(
        f"{HEAD}kind: Notification\nname: n{n}\ntemplate: helo\naudience: {{recipients: []}}\n"
        for n in range(300)
    )
    found = load({"t.yaml": template, "n.yaml": notifications}).diagnostics
    hints = [each.hint for each in found if each.rule == "unknown-reference"]
    assert hints == ["did you mean `hello`?"] * 100 + ["1 defined"] * 200
