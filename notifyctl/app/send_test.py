"""The use case of `send-test`: one real message with a recipient's values, to an address that the environment allows for tests.

It follows the protocol of an apply (record, POST, record), but is no batch: it never counts as sent to anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.app.account import account_of, refuse_other_account
from notifyctl.app.explain import Search, standing_without
from notifyctl.app.ledger import (
    Facts,
    actor_of,
    external_key,
    facts_from,
    facts_of,
    holder,
    ledger_name,
    ledger_store,
    no_ledger,
    refuse_unmarked,
)
from notifyctl.app.plan import checks_of, provider_identity, refuse_unknown
from notifyctl.app.providers import open_provider, prepare_only
from notifyctl.app.workspace import Workspace
from notifyctl.apply.batches import cut
from notifyctl.apply.correlation import test_ids
from notifyctl.audience.addresses import Address, mask, parse_address
from notifyctl.audience.destination_rules import rules_of
from notifyctl.audience.email_spelling import pattern_to_ascii
from notifyctl.audience.recipients import Rules
from notifyctl.audience.substituted_recipient import SubstitutedRecipient
from notifyctl.command_line import command_line
from notifyctl.diagnostics import Severity
from notifyctl.errors import (
    InterruptedRunError,
    LedgerError,
    LedgerLockedError,
    PlanRefusedError,
    ProjectError,
    SettingsError,
    UsageError,
)
from notifyctl.git import current_revision
from notifyctl.model.batch import Accepted, Batch, Outcome, PreparedRequest, Rejected, Unknown
from notifyctl.model.left_out import COPIES, SMS_FALLBACK, copy_name, has_fallback, leave_out
from notifyctl.model.message import LeftOut, Message
from notifyctl.model.project import ChannelName, Environment, Notification
from notifyctl.model.recipients import ID_BYTES, Scope, Suppression
from notifyctl.model.test_messages import TestMessage
from notifyctl.plan.actions import Action
from notifyctl.plan.history import Standing
from notifyctl.plan.inputs import PlanContext, ScopeInput
from notifyctl.plan.model import PlannedNotification
from notifyctl.plan.planner import describe
from notifyctl.plan.scope_evaluator import evaluate_scope
from notifyctl.rulebook.envelope import PLUS
from notifyctl.rulebook.sms import NEEDS_UNICODE
from notifyctl.schedule.slots import ONCE, Occurrence

ONE_ADDRESS = "a test is sent to one address only"


class Order(Struct, frozen=True):
    """What is asked for. `values_of` and `to` are addresses as they were typed."""

    notification: str
    values_of: str
    to: str
    locale: str | None = None


class PreparedTest(Struct, frozen=True):
    """A test that can be sent. `planned` shows its message; `left_out`: copies that it goes without."""

    order: Order
    batch: Batch
    message: TestMessage
    planned: PlannedNotification
    left_out: tuple[LeftOut, ...]


class SentTest(Struct, frozen=True):
    number: int
    test: PreparedTest
    outcome: Outcome


Confirm = Callable[[PreparedTest], bool]
"""Shows a test and asks; returns False if the user declines."""


def send_test(
    workspace: Workspace,
    environment: Environment,
    order: Order,
    *,
    confirm: Confirm | None,
    on_ready: Callable[[PreparedTest], None] = lambda _: None,
) -> SentTest:
    """Sends one test message. `confirm` is None if nothing is to be asked: `--yes`, or a sandbox. `on_ready` is called right before.

    Raises UsageError for an address or locale that cannot be used, ProjectError for a message that cannot be sent, SettingsError,
    PlanRefusedError, LedgerError, LedgerLockedError. Nothing was sent then.
    """
    allow = allowed_patterns(environment)
    store = ledger_store(workspace, environment)
    if not store.exists() and not environment.is_sandbox:
        store.refuse_lost()
        raise no_ledger(environment, planning=False)
    refuse_unmarked(workspace, environment)
    shown: PreparedTest | None = None
    if confirm is not None:
        # Ask before taking the lock: a prompt must not keep others from sending.
        with facts_of(workspace, environment) as facts:
            shown = prepare_test(workspace, environment, order, allow, facts)
        if not confirm(shown):
            raise PlanRefusedError("not confirmed; nothing was sent")
    if not store.exists():
        store.create()
    with store.writer(
        holder(), revision=current_revision(workspace.root), actor=actor_of(workspace)
    ) as writer:
        account = account_of(workspace, environment, writer.code)
        refuse_other_account(account, known=writer.account(), saved=None, environment=environment)
        test = prepare_test(workspace, environment, order, allow, facts_from(writer))
        if shown is not None and test.message != shown.message:
            raise PlanRefusedError(
                "the message changed while you were asked; nothing was sent", hint="run the command again"
            )
        on_ready(test)
        with open_provider(workspace, environment) as provider:
            request = provider.prepare(test.batch)
            number = writer.begin_test(test.message, at=workspace.clock.now())
            try:
                outcome = of_one(provider.send(request))
            except KeyboardInterrupt:
                raise InterruptedRunError(
                    f"interrupted: the outcome of test {number} is unknown; the provider may have accepted it"
                ) from None
            try:
                writer.end_test(number, outcome, at=workspace.clock.now())
            except (LedgerError, LedgerLockedError) as error:
                what = (
                    "was accepted"
                    if isinstance(outcome, Accepted)
                    else "was not accepted, or its outcome is unknown"
                )
                raise LedgerError(
                    f"test {number} {what}, and the ledger cannot record it: {error.message}", hint=error.hint
                ) from error
    return SentTest(number, test, outcome)


def of_one(outcome: Outcome) -> Outcome:
    """The outcome for the only recipient of a request, of which a response may say something else than of the request."""
    if isinstance(outcome, Accepted) and outcome.refused:
        return Rejected(next(iter(outcome.refused.values())), outcome.status)
    if isinstance(outcome, Accepted) and outcome.unheard:
        return Unknown("the response does not list the recipient, or contradicts itself", outcome.status)
    return outcome


def prepare_request(
    workspace: Workspace, environment: Environment, order: Order
) -> tuple[PreparedTest, PreparedRequest]:
    """The exact request that `send_test` would post now. Needs no secret, sends nothing, changes no file."""
    allow = allowed_patterns(environment)
    with facts_of(workspace, environment) as facts:
        test = prepare_test(workspace, environment, order, allow, facts)
    return test, prepare_only(workspace, environment).prepare(test.batch)


def allowed_patterns(environment: Environment) -> tuple[str, ...]:
    if environment.tests is None:
        raise SettingsError(
            f"environment `{environment.name}` allows no test messages; nothing was sent",
            hint=f"to allow them, add to the environment `{environment.name}`: `tests: {{allow: [YOUR-ADDRESS]}}`",
        )
    return environment.tests


def prepare_test(
    workspace: Workspace, environment: Environment, order: Order, allow: tuple[str, ...], facts: Facts
) -> PreparedTest:
    """Composes the message as an apply would. Raises as `send_test` does."""
    project = workspace.sound
    refuse_unknown([order.notification], project)
    notification = project.notifications[order.notification]
    search = Search.of(workspace, environment, facts, order.values_of.strip())
    search.plan([notification])  # raises what an apply would
    rules = rules_of(search.lists, project, environment, notification, search.now)
    to = check_destination(order.to, notification, environment, allow, rules)
    key = find_recipient(search, notification)
    if order.locale is not None:
        check_locale(order.locale, notification)
    left_out = tuple(
        LeftOut(copy_name(name, number), ONE_ADDRESS)
        for name in COPIES
        for number, _ in enumerate(getattr(notification, name) or (), 1)
    )
    checked = search.checked[notification.name]
    scope = Scope(notification.name, notification.edition, ONCE, notification.channel)
    messages = {
        variant: leave_out(message, left_out)
        for variant, message in checked.messages[scope.notification].items()
    }
    fallback = rules.fallback.column([to.key])[0] if rules.fallback else None
    result = evaluate_scope(
        ScopeInput(
            notification=replace(notification, schedule=None, callback_data=None),
            scope=scope,
            occurrence=Occurrence(ONCE, None),
            messages=messages,
            audience=SubstitutedRecipient(
                checked.audiences[notification.name], key, to, order.locale, fallback
            ),
            locale=project.locale,
            zone=project.timezone,
            find_blocked=checks_of(project, notification, checked, profile=environment.profile),
            require_plus=environment.limits.require_plus
            and project.lint.get(PLUS.id, Severity.ERROR) == Severity.ERROR,
        ),
        PlanContext(
            project=project.name,
            environment=environment,
            provider=provider_identity(environment),
            lineage=facts.lineage,
            as_of=search.now,
            needs_gsm7=project.lint.get(NEEDS_UNICODE.id, Severity.ERROR) == Severity.ERROR,
            timezone=project.timezone,
        ),
        facts.identify,
    )
    groups = list(result.send_groups())
    if not groups:
        reasons = ", ".join(result.reasons.get(Action.BLOCKED, {})) or "it cannot be sent"
        raise ProjectError(
            f"the message for {mask(order.values_of)} is blocked: {reasons}; nothing was sent",
            hint="a plan blocks it for the same reason",
        )
    [group] = groups
    [part] = cut(group, 1)
    number = facts.reader.next_test() if facts.reader is not None else 1
    ledger = ledger_name(project, environment)
    correlation, callback = test_ids(
        number,
        ledger=ledger,
        secret=external_key(environment, workspace.environ) or b"",
        material=part.members[ID_BYTES:] + to.key.encode(),
    )
    made = part.batch(number, 1, ledger=ledger, seal=b"")
    batch = replace(
        made,
        envelope=replace(made.envelope, callback_data=callback),
        to=replace(made.to, correlation_ids=[correlation]),
    )
    [values_of] = facts.identify([key])
    message = TestMessage(
        notification=notification.name,
        edition=notification.edition,
        channel=notification.channel,
        locale=group.message.locale,
        values_of=values_of,
        sent_to=part.members[:ID_BYTES],
        fingerprint=part.members[ID_BYTES:],
    )
    return PreparedTest(
        order, batch, message, describe(result), left_out + without_fallback(fallback, messages)
    )


def without_fallback(reason: str | None, messages: Mapping[str | None, Message]) -> tuple[LeftOut, ...]:
    """The SMS in place of an RCS message, if the address is suppressed for it."""
    if reason is None or not any(map(has_fallback, messages.values())):
        return ()
    return (LeftOut(SMS_FALLBACK, reason),)


def check_destination(
    text: str, notification: Notification, environment: Environment, allow: tuple[str, ...], rules: Rules
) -> Address:
    """The address of the test. Raises UsageError if it is not valid for the channel, not allowed for tests, not on the allow-list or
    on a suppression list.
    """
    kind = "an email address" if notification.channel is ChannelName.EMAIL else "a phone number"
    if ("@" in text) is not (notification.channel is ChannelName.EMAIL):
        raise UsageError(f"`--to` must be {kind}: `{notification.name}` sends {notification.channel}")
    try:
        to = parse_address(text.strip(), notification.channel)
    except ValueError as error:
        raise UsageError(f"`--to` is not {kind} in international form: {error}") from error
    patterns = [pattern_to_ascii(pattern).lower() for pattern in allow]
    if not any(fnmatchcase(to.key, pattern) for pattern in patterns):
        place = environment.positions.location("tests", "allow")
        raise UsageError(
            f"{mask(to.key)} is not allowed for tests in environment `{environment.name}` ({place.file}:{place.line}); nothing"
            " was sent",
            hint=f"add it to `tests: {{allow: […]}}` of the environment `{environment.name}`",
        )
    reason = rules.suppression(to.key)
    if reason == Suppression.FENCED:
        raise UsageError(
            f"{mask(to.key)} is not on the allow-list (`fence`) of environment `{environment.name}`; nothing was sent",
            hint="add it to `fence`, or send the test to another address",
        )
    if reason is not None:
        raise UsageError(
            f"{mask(to.key)} is suppressed ({reason}); nothing was sent",
            hint="send the test to another address: addresses on suppression lists are sent nothing, not even tests",
        )
    return to


def find_recipient(search: Search, notification: Notification) -> str:
    """The key of the recipient whose values are taken. Raises UsageError for somebody who is none."""
    key = search.key(notification)
    if key is not None and search.concerns(notification):
        trace = search.trace(notification)
        if trace.recipient is not None:
            return key
        standing = standing_without(trace)
    else:
        standing = Standing.ABSENT
    why = {
        Standing.REJECTED: "its row is rejected",
        Standing.FILTERED: "`where` filters it out",
    }.get(standing, "the audience does not have it")
    raise UsageError(
        f"{mask(search.text)} is not a recipient of `{notification.name}`: {why}; nothing was sent",
        hint="to see why, run: "
        + command_line("explain", notification.name, "--recipient", search.text, env=search.environment.name),
    )


def check_locale(locale: str, notification: Notification) -> None:
    known = sorted(notification.template.locales)
    if locale not in known:
        near = get_close_matches(locale, known, n=1)
        raise UsageError(
            f"`{notification.name}` has no text for locale `{locale}`; nothing was sent",
            hint=f"did you mean `{near[0]}`?"
            if near
            else f"defined: {', '.join(known) or 'the default text only'}",
        )
