"""A plan as a pull-request comment: verdict first, then what needs a decision, then each notification, within a
comment's size.

Text from untrusted files is shown without effect: in fences longer than any run of backticks in it, each line
behind a bar, without control characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from notifyctl.command_line import command_line
from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.errors import ProjectError
from notifyctl.plan.actions import Action
from notifyctl.plan.comment_marker import NO_DIGEST, Subject, mark
from notifyctl.plan.diff import Change, Review, TextChange
from notifyctl.plan.effects import Effect, SettingChange
from notifyctl.plan.model import Plan, PlannedNotification, Sample, Upcoming
from notifyctl.plan.shared_request import parts_of
from notifyctl.plurals import pluralise
from notifyctl.schedule.moments import format_occurrence, format_time
from notifyctl.views.as_of import caveats, plan_as_of
from notifyctl.views.changes import (
    SIGN,
    is_only_shared,
    label,
    own_settings,
    own_texts,
    recipients_line,
    summary,
    title,
    total,
    total_line,
    warnings,
    word_diff,
)
from notifyctl.views.colours import strip_controls
from notifyctl.views.gaps import describe_gaps
from notifyctl.views.message import SAID_ABOVE, STORED_ELSEWHERE, as_lines
from notifyctl.views.plan import (
    ORDER,
    because,
    describe_cost,
    describe_left_out,
    describe_price,
    describe_readings,
    describe_rejected,
    describe_request,
    describe_samples,
    nearly_sent,
    render_command,
    with_upcoming,
)
from notifyctl.views.sending_hours import describe_hours
from notifyctl.views.series import describe_broken, describe_series, describe_waits
from notifyctl.views.times import describe_due, describe_run, is_refused
from notifyctl.views.upcoming import describe_upcoming

BUDGET = 60_000
"""Bytes of UTF-8. GitHub accepts 65,536 characters in a comment."""
MOST_LINES = 200
"""Lines shown of one text."""
MOST_DIAGNOSTICS = 20
MOST_SAMPLES = 6
MOST_WARNINGS = 40
MORE_ERRORS = 1_000
"""Bytes kept free for the line that counts what is left out."""
BACKTICKS = re.compile(r"`+")


def render(plan: Plan, review: Review | None = None, *, folder: str = ".", settled: bool = False) -> str:
    """One document of at most BUDGET bytes. If it would be longer, whole notifications are left out, smallest first.

    `folder`: the project's, in its repository. `settled`: the comment is there, and nothing is left to say.
    """
    subject = Subject(plan.project, folder, plan.environment)
    marker = mark(subject, digest=plan.digest, at=plan.made_at or plan.as_of)
    closing = ["", "**No changes any more.**"] if settled else []
    head = "\n".join([marker, *verdict(plan, review), *closing])
    blocks = list(sections(plan, review))
    ranked = sorted(range(len(blocks)), key=lambda at: (-blocks[at][0], at))
    room = BUDGET - len(head.encode()) - len(omitted_note(len(blocks), plan.environment).encode()) - 2
    kept: set[int] = set()
    for at in ranked:
        size = len(blocks[at][1].encode()) + 1
        if size <= room:
            kept.add(at)
            room -= size
        else:
            break
    parts = [head, *(text for at, (_, text) in enumerate(blocks) if at in kept)]
    if len(kept) < len(blocks):
        parts.append(omitted_note(len(blocks) - len(kept), plan.environment))
    return "\n".join(parts) + "\n"


def omitted_note(count: int, environment: str) -> str:
    more = pluralise(count, "more notification")
    return f"\n_{more} with fewer recipients not shown; to see all, run: {code(command_line('plan', env=environment, elsewhere=True))}_"


def render_failure(subject: Subject, at: datetime) -> str:
    """What replaces a comment when no plan can be made any more. Gives no reason: it is in the job's log."""
    return "\n".join(
        [
            mark(subject, digest=NO_DIGEST, at=at),
            f"## ❌ {code(subject.project)} · {code(subject.environment)}: no plan can be made",
            "",
            "The plan shown here before is out of date. The errors are in the log of the CI job.",
            "",
        ]
    )


def render_errors(error: ProjectError, *, about: Sequence[str] = ()) -> str:
    """What stands in place of a plan's document when the project has errors. `about`: the project and environment, where known.

    At most BUDGET bytes: the errors come first, and what does not fit is counted.
    """
    of = " · ".join(map(code, about))
    lines = [
        f"## ❌ {of}{': no' if of else 'No'} plan can be made",
        "",
        f"{plain(capitalise(error.message))}.",
    ]
    lines += ["", plain(capitalise(error.hint))] if error.hint and not error.diagnostics else []
    ordered = sorted(error.diagnostics, key=lambda d: (list(Severity).index(d.severity), d.location))
    blocks = ["\n".join(list_problem(each)) for each in ordered]
    room = BUDGET - len("\n".join(lines).encode()) - MORE_ERRORS
    kept = 0
    for block in blocks:
        room -= len(block.encode()) + 1
        if room < 0:
            break
        kept += 1
    lines += ["", *blocks[:kept]] if kept else []
    if kept < len(blocks):
        lines.append(more_lines(len(blocks) - kept, command_line("lint")))
    return "\n".join(lines) + "\n"


def capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


def list_problem(problem: Diagnostic) -> Iterator[str]:
    yield f"- **{problem.severity.value}** {code(str(problem.location))} {code(problem.rule)} {plain(problem.message)}"
    if problem.hint:
        yield f"  - → {plain(problem.hint)}"


def verdict(plan: Plan, review: Review | None) -> Iterator[str]:
    summary = {action: count for action, count in plan.summary.items() if count}
    errors = sum(d.severity is Severity.ERROR for d in plan.diagnostics)
    held = sum(count for _, _, count in attention_rows(plan))
    sends = f"sends to **{pluralise(plan.sends, 'recipient')}**" if plan.sends else "sends **no messages**"
    if errors:
        sign, verdict = "❌", f"has {pluralise(errors, 'error')} and cannot be applied"
    elif held:
        sign, verdict = "⚠️", f"{sends}; {needs_attention(held)}"
    elif review is not None and any(warnings(review)):
        count = sum(1 for _ in warnings(review))
        sign, verdict = "⚠️", f"{sends}; {needs_attention(count, 'changed setting')}"
    elif review is not None and any(each.acceptance is not None for each in review.series):
        broken = sum(each.acceptance is not None for each in review.series)
        sign, verdict = "⚠️", f"{sends}; {needs_attention(broken, 'acceptance')}"
    elif any(planned.nearly for planned in plan.notifications):
        sign, verdict = "⚠️", f"{sends}; some of them were already sent nearly the same"
    elif plan.rejected_rows:
        sign, verdict = "⚠️", f"{sends}; {pluralise(plan.rejected_rows, 'rejected row')} skipped"
    else:
        sign, verdict = "📝" if review is not None and has_settings(review) else "✅", sends
    yield f"## {sign} {code(plan.project)} · {code(plan.environment)}: this {verdict}"
    yield ""
    counts = [f"{summary[action]:,} {action.value}" for action in ORDER if action in summary] or [
        "nothing to do"
    ]
    yield f"{' · '.join([*counts, *describe_rejected(plan)])}  "
    yield f"Digest `{plan.digest}` · {plan_as_of(plan)}{'' if plan.made_at else f', valid until {format_time(plan.valid_until, plan.timezone)}'}"
    for caveat in caveats(plan):
        yield ""
        yield f"> {plain(caveat)}"
    if review is not None:
        yield from describe_changes(review)
    yield from describe_nearly_sent(plan)
    if not plan.complete:
        yield ""
        yield "> Planned without the ledger: earlier sends are unknown here. This plan cannot be applied."
    yield from problems(plan)
    yield from attention(plan)


def has_settings(review: Review) -> bool:
    """Whether a setting differs that has an effect, beside which no tick stands."""
    every = [*review.settings, *(each for change in review.changes for each in change.settings)]
    return any(each.effects != (Effect.NONE,) for each in every)


def needs_attention(count: int, noun: str = "recipient") -> str:
    return f"{pluralise(count, noun)} {'needs' if count == 1 else 'need'} attention"


def describe_nearly_sent(plan: Plan) -> Iterator[str]:
    found = list(nearly_sent(plan))
    if found:
        yield ""
    yield from (f"- ⚠️ {code(subject)}: {phrase}" for subject, phrase in found[:MOST_DIAGNOSTICS])
    if len(found) > MOST_DIAGNOSTICS:
        yield more_lines(
            len(found) - MOST_DIAGNOSTICS, command_line("plan", env=plan.environment, elsewhere=True)
        )


def more_lines(count: int, command: str) -> str:
    return f"- … and {count:,} more; to list them, run: {code(command)}"


def describe_changes(review: Review) -> Iterator[str]:
    """What differs from the base, with every setting that needs attention, above what is folded."""
    yield ""
    if review.problem:
        yield f"> Cannot compare with `{review.base}`: {plain(review.problem)}. Every notification is shown as new."
    yield f"Compared with `{review.base}`: {summary(review)}."
    for unknown in review.unknown:
        yield f"Unknown here: {unknown}."
    compare = command_line("plan", "--base", review.base, elsewhere=True)
    warned = list(warnings(review))
    rest = [each for each in review.settings if not each.warns]
    if warned or rest:
        yield ""
    for each in warned[:MOST_WARNINGS]:
        where = f" in {code(each.where)}" if each.names else ""
        yield f"- {SIGN}️ **{label(each.change.effects)}**: {describe_setting(each.change)}{where}"
    if len(warned) > MOST_WARNINGS:
        yield more_lines(len(warned) - MOST_WARNINGS, compare)
    if review.series and not (warned or rest):
        yield ""
    for broken in review.series[:MOST_WARNINGS]:
        yield f"- {SIGN}️ {code(broken.name)}: {plain(describe_broken(broken))}"
    if len(review.series) > MOST_WARNINGS:
        yield more_lines(len(review.series) - MOST_WARNINGS, compare)
    yield from (f"- {label(each.effects)}: {describe_setting(each)}" for each in rest[:MOST_WARNINGS])
    if len(rest) > MOST_WARNINGS:
        yield more_lines(len(rest) - MOST_WARNINGS, compare)


def describe_setting(change: SettingChange) -> str:
    before, after = (code(value) if value is not None else "none" for value in (change.before, change.after))
    return f"{code(change.key)}: {before} → {after}"


def problems(plan: Plan) -> Iterator[str]:
    problems = [d for d in plan.diagnostics if d.severity is not Severity.INFO]
    if problems:
        yield ""
        worst = sorted(problems, key=lambda d: (list(Severity).index(d.severity), d.location))
        for each in worst[:MOST_DIAGNOSTICS]:
            yield f"- **{each.severity.value}** {code(str(each.location))} {code(each.rule)} {plain(each.message)}"
        if len(worst) > MOST_DIAGNOSTICS:
            yield more_lines(
                len(worst) - MOST_DIAGNOSTICS, command_line("lint", env=plan.environment, elsewhere=True)
            )


def attention_rows(plan: Plan) -> Iterator[tuple[Action, PlannedNotification, int]]:
    """(action, notification, recipients) of what needs a decision: a hand-off that is refused too, since nothing repeats it, and what was
    missed.
    """
    for action in (Action.BLOCKED, Action.UNCERTAIN, Action.CHANGED, Action.DEFERRED):
        for planned in plan.notifications:
            if planned.actions.get(action) and (action is not Action.DEFERRED or is_refused(planned)):
                yield action, planned, planned.actions[action]
    yield from ((Action.EXPIRED, planned, planned.missed) for planned in plan.notifications if planned.missed)


def attention(plan: Plan) -> Iterator[str]:
    """What needs a decision."""
    rows = list(attention_rows(plan))
    if rows:
        yield ""
        yield "| needs attention | notification | recipients | reason |"
        yield "|---|---|---:|---|"
        for action, planned, count in rows[:50]:
            why = plain(because(planned, action, plan.as_of, env=plan.environment))
            yield f"| {action.value} | {code(planned.name)} | {count:,} | {why} |"


def sections(plan: Plan, review: Review | None) -> Iterator[tuple[int, str]]:
    """(number of recipients, block) for each notification with something to report."""
    changes = {change.name: change for change in review.changes} if review else {}
    shown = set()
    for planned, upcoming in with_upcoming(plan):
        name = planned.name if planned is not None else upcoming.name if upcoming is not None else ""
        change = changes.get(name)
        quiet = planned is not None and set(planned.actions) <= {Action.UNCHANGED, Action.SUPPRESSED}
        if change is None and (review is not None or (quiet and (upcoming is None or not upcoming.next))):
            continue
        if change is not None and is_only_shared(change):
            continue
        # What differs is told once, with the first of several occurrences.
        told = change if name not in shown else None
        shown.add(name)
        size = max(planned.sends if planned is not None else 0, change.blast if change else 0)
        yield size, details(planned, told, plan, upcoming)
    for change in changes.values():
        if change.name not in shown and not is_only_shared(change):
            yield change.blast, details(None, change, plan)
    alike = sum(map(is_only_shared, changes.values()))
    if alike:
        yield (
            0,
            f"\n{pluralise(alike, 'notification')} changed by settings of the project or environment alone, as listed above.",
        )


def details(
    planned: PlannedNotification | None,
    change: Change | None,
    plan: Plan,
    upcoming: Upcoming | None = None,
) -> str:
    return "\n".join(_details(planned, change, plan, upcoming))


def _details(
    planned: PlannedNotification | None, change: Change | None, plan: Plan, upcoming: Upcoming | None
) -> Iterator[str]:
    name = next(each.name for each in (planned, change, upcoming) if each is not None)
    traits = [f"<b>{tag(name)}</b>"]
    if change is not None:
        traits.append(tag(title(change)))
    if planned is not None:
        traits.append(planned.channel.value)
        if planned.occurrence != "once":
            traits.append(f"occurrence {tag(format_occurrence(planned.occurrence))}")
        traits.append(f"{planned.sends:,} to send")
    elif upcoming is not None:
        traits += [upcoming.channel.value, "nothing due now"]
    yield ""
    yield f"<details><summary>{' · '.join(traits)}</summary>"
    yield ""
    if change is not None:
        yield from changed(change)
    if planned is not None:
        yield from list_facts(planned, plan)
    yield from list_hours(name, plan)
    if upcoming is not None:
        yield from list_upcoming(upcoming, plan.as_of)
        yield from list_series(plan, upcoming.name)
    for each in (planned, upcoming.preview if upcoming is not None else None):
        if each is not None:
            yield from list_samples(each, plan.environment)
    yield ""
    yield "</details>"


def list_hours(name: str, plan: Plan) -> Iterator[str]:
    for hours in plan.hours:
        if hours.name == name:
            yield from (f"- {plain(line)}" for line in describe_hours(hours))


def list_upcoming(upcoming: Upcoming, now: datetime) -> Iterator[str]:
    yield from (f"- {plain(line)}" for line in describe_upcoming(upcoming, now))
    if upcoming.preview is not None:
        for sign, line in describe_gaps(upcoming.preview):
            yield f"- {'⚠ ' if sign else ''}{plain(line)}"


def list_series(plan: Plan, name: str) -> Iterator[str]:
    for each in plan.series:
        if each.name == name:
            sign = "⚠ " if each.acceptance is None else ""
            head, *rest = describe_series(each, plan.timezone, env=plan.environment)
            yield f"- {plain(head)}"
            yield from (f"  - {sign}{plain(line)}" for line in rest)


def list_samples(planned: PlannedNotification, environment: str) -> Iterator[str]:
    if lines := list(describe_request(planned)):
        yield ""
        yield from code_fence("\n".join(lines))
    shown = choose_samples(planned)
    for sample in shown:
        yield from describe_sample(planned, sample)
    hidden = planned.texts - len(shown)
    if hidden > 0:
        more = pluralise(hidden, "more text")
        yield f"… and {more}; to see more, run: {code(render_command(planned, env=environment))}"


def choose_samples(planned: PlannedNotification) -> list[Sample]:
    """The most frequent text of each locale, then texts chosen for a reason."""
    leaders = describe_samples(planned)
    rest = [sample for sample in planned.samples if sample.why and sample not in leaders]
    most = max(MOST_SAMPLES, len(leaders))
    return [sample for sample in planned.samples if sample in [*leaders, *rest][:most]]


def changed(change: Change) -> Iterator[str]:
    for line in (recipients_line(change), total_line(change.before, change.after)):
        if line is not None:
            yield f"- {line}"
    if change.before is None and change.after is not None and change.after.people is not None:
        yield f"- full send: {total(change.after.planned)}"
    for each in own_settings(change):
        sign = f"{SIGN}️ " if each.warns else ""
        yield f"- {sign}{describe_setting(each)} · {label(each.effects)}"
    for part in own_texts(change):
        yield from text_change(part)


def text_change(change: TextChange) -> Iterator[str]:
    locale = f" ({change.locale})" if change.locale else ""
    yield ""
    yield f"{code(change.where)}{locale}"
    yield ""
    yield from code_fence(word_diff(change.before, change.after))


def list_facts(planned: PlannedNotification, plan: Plan) -> Iterator[str]:
    traits = [f"edition {planned.edition}"]
    traits += [f"from {code(planned.sender)}"] if planned.sender else []
    traits += map(plain, describe_due(planned, plan.as_of))
    traits += [pluralise(planned.segments, "SMS segment")] if planned.segments else []
    yield f"- {' · '.join([*traits, *describe_cost(planned)])}"
    for action in ORDER:
        count = planned.actions.get(action)
        if count:
            yield f"- {count:,} {action.value}: {plain(because(planned, action, plan.as_of, env=plan.environment))}"
    if planned.rejected_rows:
        yield f"- ⚠ {pluralise(planned.rejected_rows, 'rejected row')} of {planned.rows:,}"
    lines = (*describe_run(planned, plan.as_of), *describe_gaps(planned))
    yield from (f"- {'⚠ ' if sign else ''}{plain(line)}" for sign, line in lines)
    if waits := describe_waits(planned):
        yield f"- ⚠ {plain(waits)}"
    if readings := describe_readings(planned):
        yield f"- numbers: {plain(readings)}"
    yield from (f"- without {plain(line)}" for line in describe_left_out(planned))
    if planned.reach:
        countries = ", ".join(f"{each.recipients:,} in {each.country}" for each in planned.reach[:8])
        yield f"- reach: {countries}{' …' if len(planned.reach) > 8 else ''}"  # noqa: PLR2004 - as many as are shown


def describe_sample(planned: PlannedNotification, sample: Sample) -> Iterator[str]:
    traits = [
        sample.locale or "default text",
        pluralise(sample.count, "recipient"),
        f"example: {sample.recipient}",
        *sample.why,
    ]
    if sample.segments:
        traits.append(pluralise(sample.segments, "segment"))
    yield ""
    yield plain(" · ".join(traits))
    yield ""
    lines = list(
        as_lines(
            parts_of(planned, sample),
            without=SAID_ABOVE[planned.channel],
            price=describe_price(sample.fallback_cost),
        )
    )
    if planned.opaque:
        yield f"_{STORED_ELSEWHERE}_"
        yield ""
    if lines:
        yield from code_fence("\n".join(lines))


def code_fence(text: str) -> Iterator[str]:
    """A block of text in which nothing is markup, a mention or a command."""
    fence = "`" * max(3, 1 + max((len(run) for run in BACKTICKS.findall(text)), default=0))
    lines = text.splitlines() or [""]
    yield f"{fence}text"
    yield from (f"| {strip_controls(line)}" for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        yield f"| … {pluralise(len(lines) - MOST_LINES, 'more line')}: `notifyctl plan` shows all"
    yield fence


def code(text: str) -> str:
    """One line in a code span."""
    line = strip_controls(" ".join(text.split()))[:200]
    ticks = "`" * (1 + max((len(run) for run in BACKTICKS.findall(line)), default=0))
    return f"{ticks} {line} {ticks}" if "`" in line else f"`{line or ' '}`"


def plain(text: str) -> str:
    """Our text with values from files, in which nothing is markup, a link or a mention."""
    line = strip_controls(" ".join(text.split()))[:500]
    return re.sub(r"([\\`*_\[\]<>#|~!@:/-])", escape, line)


def escape(found: re.Match[str]) -> str:
    """Escapes a match: a mention or an address must not become one; the rest is literal."""
    return {"@": "&#64;", "<": "&lt;", ">": "&gt;", ":": ":", "/": "/", "-": "-"}.get(
        found[1], "\\" + found[1]
    )


def tag(text: str) -> str:
    import html

    return html.escape(strip_controls(" ".join(text.split()))[:200])
