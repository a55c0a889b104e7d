"""Checked values to the dataclasses of the model, one function per kind. Sees one document at a time; `link` joins them.

Every function takes what `check` returned without problems, so nothing here can be wrong any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notifyctl.diagnostics import Positions
from notifyctl.model.project import (
    WEEKDAYS,
    Audience,
    AudienceSource,
    Auth,
    Baseline,
    Category,
    ChannelName,
    Environment,
    HandOff,
    InlineRecipient,
    JwtAuth,
    LedgerSettings,
    Limits,
    LocaleVariant,
    Moved,
    Numbers,
    Policy,
    Project,
    Schedule,
    Secret,
    SuppressionList,
    Template,
    TpsCounts,
    Variable,
    Window,
    Withdraw,
)

Values = Mapping[str, Any]


def given(values: Values, **names: str) -> dict[str, Any]:
    """Those of the model's fields (left) whose keys (right) stand in the document, so that the model's defaults hold."""
    return {field: values[key] for field, key in names.items() if key in values}


def same(values: Values, *names: str) -> dict[str, Any]:
    """As `given`, for fields that are called as their keys."""
    return given(values, **{name: name for name in names})


def project(values: Values, marks: Positions) -> Project:
    environments = {
        name: environment(name, each, marks.nested("environments", name))
        for name, each in {"sandbox": {"provider": "sandbox"}, **values.get("environments", {})}.items()
    }
    return Project(
        name=values["name"],
        marks=marks,
        environments=environments,
        suppressions=suppressions(values, marks),
        policy=policy(values.get("policy", {})),
        **given(values.get("defaults", {}), timezone="timezone", locale="locale"),
        **given(values, default_environment="defaultEnvironment", vars="vars", lint="lint"),
    )


def suppressions(values: Values, marks: Positions) -> tuple[SuppressionList, ...]:
    found = []
    for number, each in enumerate(values.get("suppressions", ())):
        location, more = marks.location("suppressions", number), {} if isinstance(each, str) else each
        found.append(
            SuppressionList(
                file=each if isinstance(each, str) else each["file"],
                location=location,
                channels=tuple(map(ChannelName, more.get("channels", ()))),
                categories=tuple(map(Category, more.get("categories", ()))),
                key=secret(more, "key"),
                by_ledger="key" in more,
                **same(more, "reason", "since", "until"),
            )
        )
    return tuple(found)


def policy(values: Values) -> Policy:
    return Policy(
        require_unsubscribe=tuple(Category(each) for each in values.get("requireUnsubscribe", ())),
        **given(
            values,
            max_recipients="maxRecipients",
            max_growth_percent="maxGrowthPercent",
            max_segments="maxSegments",
        ),
    )


def environment(name: str, values: Values, marks: Positions) -> Environment:
    return Environment(
        name=name,
        marks=marks,
        auth=auth(values.get("auth", {})),
        senders={ChannelName(channel): sender for channel, sender in values.get("senders", {}).items()},
        limits=limits(values.get("limits", {})),
        ledger=LedgerSettings(
            url=secret(values.get("ledger", {}), "url"),
            recipient_key=secret(values.get("ledger", {}), "recipientKey"),
        ),
        fence=tuple(values["fence"]["allow"]) if "fence" in values else None,
        proxy_secret=secret(values, "proxy"),
        suppressions=suppressions(values, marks),
        **given(
            values,
            provider="provider",
            endpoint="endpoint",
            profile="profile",
            vars="vars",
            proxy="proxy",
            ca_file="caFile",
            pricing="pricing",
        ),
    )


def auth(values: Values) -> Auth:
    if "jwt" not in values:
        return Auth(service_key=secret(values, "serviceKey"))
    service_id, key = secret(values["jwt"], "serviceId"), secret(values["jwt"], "secret")
    jwt = JwtAuth(service_id, key) if service_id and key else None
    return Auth(jwt=jwt, service_key=secret(values, "serviceKey"))


def secret(values: Values, name: str) -> Secret | None:
    env, file = values.get(f"{name}Env"), values.get(f"{name}File")
    return Secret(env=env, file=file) if env or file else None


def limits(values: Values) -> Limits:
    counts = values.get("tpsCounts", TpsCounts.DESTINATIONS)
    return Limits(
        tps_counts=TpsCounts.CALLS if counts == "requests" else TpsCounts(counts),
        **given(
            values,
            tps="tps",
            destinations_per_request="destinationsPerRequest",
            concurrency="concurrency",
            require_plus="requirePlus",
        ),
    )


def template(name: str, values: Values, marks: Positions) -> Template:
    declared = values.get("variables")
    variables = None if declared is None else tuple(variable(each, declared[each]) for each in declared)
    return Template(
        name=name,
        channel=ChannelName(values["channel"]),
        marks=marks,
        category=Category(values.get("category", Category.TRANSACTIONAL)),
        variables=variables,
        locales={locale: LocaleVariant(**each) for locale, each in values.get("locales", {}).items()},
        remote_id=values.get("template", values).get("id"),
        **given(values, description="description", content="content", options="options"),
    )


def variable(name: str, values: Values) -> Variable:
    fields = given(values, required="required", default="default", example="example", max_length="maxLength")
    return Variable(name, **fields)


def audience(name: str, values: Values, marks: Positions) -> Audience:
    people = values.get("recipients")
    recipients = None
    if people is not None:
        recipients = tuple(recipient(each, marks.nested("recipients", i)) for i, each in enumerate(people))
    return Audience(
        name=name,
        marks=marks,
        recipients=recipients,
        source=source(values["source"]) if "source" in values else None,
        numbers=Numbers(values.get("numbers", Numbers.FORM)),
        **given(values, columns="columns", substitutions="substitutions", where="where"),
    )


def recipient(values: Values, marks: Positions) -> InlineRecipient:
    return InlineRecipient(
        location=marks.location(),
        msisdn=tuple(values.get("msisdn", ())),
        email=tuple(values.get("email", ())),
        **given(
            values,
            correlation_id="correlationId",
            locale="locale",
            timezone="timezone",
            substitutions="substitutions",
        ),
    )


def source(values: Values) -> AudienceSource:
    return AudienceSource(
        url=secret(values, "url"), **same(values, "file", "format", "delimiter", "encoding", "table", "sql")
    )


def schedule(name: str, values: Values, marks: Positions) -> Schedule:
    return Schedule(
        name=name,
        marks=marks,
        window=window(values["window"]) if "window" in values else None,
        holidays=tuple(values.get("holidays", ())),
        hand_off=HandOff(values.get("handOff", HandOff.HOLD)),
        **given(values, timezone="timezone", at="at", cron="cron", starts="from", ends="until"),
        **given(values, grace="grace", expire_after="expireAfter", expire_at="expireAt"),
    )


def window(values: Values) -> Window:
    days = tuple(sorted(WEEKDAYS.index(day) for day in values.get("days", WEEKDAYS)))
    return Window(days=days, **given(values, start="from", until="to"))


def moved(values: Values, marks: Positions) -> Moved:
    return Moved(values["from"], values["to"], marks)


def baseline(values: Values, marks: Positions) -> Baseline:
    return Baseline(values["notification"], values.get("edition", 1), values["reason"], marks)


def withdraw(values: Values, marks: Positions) -> Withdraw:
    return Withdraw(values["notification"], values.get("edition", 1), values["reason"], marks)
