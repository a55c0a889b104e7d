"""Builds model objects from checked values, one function per kind.

Each function handles one document; `resolve_references` links them. The values come from `check` without problems,
so nothing here fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from notifyctl.diagnostics import Positions
from notifyctl.model.accept_rule import AcceptBy, AcceptRule
from notifyctl.model.acceptors import Acceptors, Oidc, Person
from notifyctl.model.project import (
    WEEKDAYS,
    Audience,
    AudienceSource,
    Auth,
    Baseline,
    Category,
    ChannelName,
    Environment,
    Gap,
    HandOff,
    Holiday,
    HolidayCountry,
    HolidayFile,
    Hours,
    InlineRecipient,
    JwtAuth,
    LedgerSettings,
    Limits,
    LocaleVariant,
    Moved,
    Numbers,
    Overlap,
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


def pick_fields(values: Values, **names: str) -> dict[str, Any]:
    """Returns the model fields (left) whose keys (right) are in the document; for others the model's defaults apply."""
    return {field: values[key] for field, key in names.items() if key in values}


def pick_same(values: Values, *names: str) -> dict[str, Any]:
    """Returns fields as `pick_fields` does, where field and key have the same name."""
    return pick_fields(values, **{name: name for name in names})


def build_project(values: Values, positions: Positions) -> Project:
    shared = pick_same(values, "alerts")
    environments = {
        name: build_environment(name, {**shared, **each}, positions.nested("environments", name))
        for name, each in {"sandbox": {"provider": "sandbox"}, **values.get("environments", {})}.items()
    }
    return Project(
        name=values["name"],
        positions=positions,
        environments=environments,
        suppressions=build_suppressions(values, positions),
        policy=build_policy(values.get("policy", {})),
        acceptors=build_acceptors(values.get("policy", {}).get("accept", {})),
        hours=Hours(**build_hours(values.get("defaults", {}))),
        exempt={
            Category(name): reason for name, reason in values.get("defaults", {}).get("except", {}).items()
        },
        **pick_fields(values.get("defaults", {}), timezone="timezone", locale="locale", region="region"),
        **pick_fields(
            values,
            default_environment="defaultEnvironment",
            vars="vars",
            lint="lint",
            opt_out_on="optOutOn",
        ),
    )


def build_suppressions(values: Values, positions: Positions) -> tuple[SuppressionList, ...]:
    lists = []
    for number, entry in enumerate(values.get("suppressions", ())):
        location, details = (
            positions.location("suppressions", number),
            {} if isinstance(entry, str) else entry,
        )
        lists.append(
            SuppressionList(
                file=entry if isinstance(entry, str) else entry["file"],
                location=location,
                channels=tuple(map(ChannelName, details.get("channels", ()))),
                categories=tuple(map(Category, details.get("categories", ()))),
                key=build_secret(details, "key"),
                by_ledger="key" in details,
                **pick_same(details, "reason", "since", "until"),
            )
        )
    return tuple(lists)


def build_policy(values: Values) -> Policy:
    return Policy(
        require_unsubscribe=tuple(Category(each) for each in values.get("requireUnsubscribe", ())),
        accept=build_accept_rule(values.get("accept", {})),
        **pick_fields(
            values,
            max_recipients="maxRecipients",
            max_growth_percent="maxGrowthPercent",
            max_segments="maxSegments",
            max_rejected_percent="maxRejectedPercent",
        ),
    )


def build_accept_rule(values: Values) -> AcceptRule:
    return AcceptRule(by=AcceptBy(values.get("by", AcceptBy.ANYONE)), **pick_same(values, "above", "proven"))


def build_acceptors(values: Values) -> Acceptors:
    oidc = values.get("oidc")
    return Acceptors(
        people=tuple(
            Person(each["name"], *(tuple(each.get(key, ())) for key in ("emails", "logins", "keys")))
            for each in values.get("people", ())
        ),
        oidc=None
        if oidc is None
        else Oidc(
            oidc["issuer"], **pick_fields(oidc, audience="audience", claims="claims", variable="tokenEnv")
        ),
    )


def build_environment(name: str, values: Values, positions: Positions) -> Environment:
    return Environment(
        name=name,
        positions=positions,
        auth=build_auth(values.get("auth", {})),
        senders={ChannelName(channel): sender for channel, sender in values.get("senders", {}).items()},
        limits=build_limits(values.get("limits", {})),
        ledger=LedgerSettings(
            url=build_secret(values.get("ledger", {}), "url"),
            recipient_key=build_secret(values.get("ledger", {}), "recipientKey"),
        ),
        fence=tuple(values["fence"]["allow"]) if "fence" in values else None,
        tests=tuple(values["tests"]["allow"]) if "tests" in values else None,
        proxy_secret=build_secret(values, "proxy"),
        suppressions=build_suppressions(values, positions),
        alerts=build_secret(values.get("alerts", {}), "url"),
        **pick_fields(
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


def build_auth(values: Values) -> Auth:
    if "jwt" not in values:
        return Auth(service_key=build_secret(values, "serviceKey"))
    service_id, key = build_secret(values["jwt"], "serviceId"), build_secret(values["jwt"], "secret")
    jwt = JwtAuth(service_id, key) if service_id and key else None
    return Auth(jwt=jwt, service_key=build_secret(values, "serviceKey"))


def build_secret(values: Values, name: str) -> Secret | None:
    env, file = values.get(f"{name}Env"), values.get(f"{name}File")
    return Secret(env=env, file=file) if env or file else None


def build_limits(values: Values) -> Limits:
    counts = values.get("tpsCounts", TpsCounts.DESTINATIONS)
    return Limits(
        tps_counts=TpsCounts.CALLS if counts == "requests" else TpsCounts(counts),
        **pick_fields(
            values,
            tps="tps",
            destinations_per_request="destinationsPerRequest",
            concurrency="concurrency",
            require_plus="requirePlus",
        ),
    )


def build_template(name: str, values: Values, positions: Positions) -> Template:
    declared = values.get("variables")
    variables = None if declared is None else tuple(build_variable(each, declared[each]) for each in declared)
    return Template(
        name=name,
        channel=ChannelName(values["channel"]),
        positions=positions,
        category=Category(values.get("category", Category.TRANSACTIONAL)),
        variables=variables,
        locales={locale: LocaleVariant(**each) for locale, each in values.get("locales", {}).items()},
        remote_id=values.get("template", values).get("id"),
        remote_subject=values.get("template", {}).get("subject"),
        **pick_fields(values, description="description", content="content", options="options"),
    )


def build_variable(name: str, values: Values) -> Variable:
    fields = pick_fields(
        values, required="required", default="default", example="example", max_length="maxLength"
    )
    return Variable(name, **fields)


def build_audience(name: str, values: Values, positions: Positions) -> Audience:
    inline = values.get("recipients")
    recipients = None
    if inline is not None:
        recipients = tuple(
            build_recipient(each, positions.nested("recipients", i)) for i, each in enumerate(inline)
        )
    return Audience(
        name=name,
        positions=positions,
        recipients=recipients,
        source=build_source(values["source"]) if "source" in values else None,
        numbers=Numbers(values.get("numbers", Numbers.POSSIBLE)),
        **pick_fields(
            values, columns="columns", substitutions="substitutions", where="where", region="region"
        ),
    )


def build_recipient(values: Values, positions: Positions) -> InlineRecipient:
    return InlineRecipient(
        location=positions.location(),
        msisdn=tuple(values.get("msisdn", ())),
        email=tuple(values.get("email", ())),
        **pick_fields(
            values,
            correlation_id="correlationId",
            locale="locale",
            timezone="timezone",
            substitutions="substitutions",
        ),
    )


def build_source(values: Values) -> AudienceSource:
    return AudienceSource(
        url=build_secret(values, "url"),
        **pick_same(values, "file", "format", "delimiter", "encoding", "table", "sql"),
    )


def build_schedule(name: str, values: Values, positions: Positions) -> Schedule:
    return Schedule(
        name=name,
        positions=positions,
        starts=start_of(values["from"]) if "from" in values else None,
        ends=end_of(values["until"]) if "until" in values else None,
        **build_hours(values),
        hand_off=HandOff(values.get("handOff", HandOff.HOLD)),
        gap=Gap(values.get("gap", Gap.SHIFT)),
        overlap=Overlap(values.get("overlap", Overlap.FIRST)),
        **pick_same(values, "timezone", "at", "cron", "rrule"),
        **pick_fields(values, grace="grace", expire_after="expireAfter", expire_at="expireAt"),
    )


def start_of(value: date) -> datetime:
    """The first local time of a date; a time is itself."""
    return value if isinstance(value, datetime) else datetime.combine(value, time.min)


def end_of(value: date) -> datetime:
    """The last local time of a date; a time is itself."""
    return value if isinstance(value, datetime) else datetime.combine(value, time.max)


def build_hours(values: Values) -> dict[str, Any]:
    return {
        "windows": tuple(map(build_window, values.get("window", ()))),
        "quiet_hours": tuple(map(build_window, values.get("quietHours", ()))),
        "holidays": tuple(map(build_holiday, values.get("holidays", ()))),
    }


def build_holiday(value: date | Values) -> Holiday:
    if isinstance(value, date):
        return value
    if "file" in value:
        return HolidayFile(value["file"], value.get("text"))
    return HolidayCountry(value["country"], value.get("subdivision"))


def build_window(values: Values) -> Window:
    days = tuple(sorted(WEEKDAYS.index(day) for day in values.get("days", WEEKDAYS)))
    return Window(days=days, **pick_fields(values, start="from", until="to"))


def build_moved(values: Values, positions: Positions) -> Moved:
    return Moved(values["from"], values["to"], positions)


def build_baseline(values: Values, positions: Positions) -> Baseline:
    return Baseline(values["notification"], values.get("edition", 1), values["reason"], positions)


def build_withdraw(values: Values, positions: Positions) -> Withdraw:
    return Withdraw(values["notification"], values.get("edition", 1), values["reason"], positions)
