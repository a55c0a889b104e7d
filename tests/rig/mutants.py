"""Does the suite go red when the protocol is broken? Breaks it in one way after the other, in a copy, and runs the rig.

    python tests/rig/mutants.py [--all] [NAME…]

Prints a table; exits 1 when a mutant survives, or when the copy that nothing was done to is not green. Without --all only
the quick ones are tried.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOOP, LIES = "tests/rig/test_crash_loop.py", "tests/rig/test_lying_providers.py"
ORDINARY = f"{LOOP}::test_without_the_variable_no_point_does_anything"
KILLED = f"{LOOP}::test_killed_at_every_point"
FULL = f"{LOOP}::test_without_room_on_the_disk_at_a_point"
OVERTAKEN = f"{LOOP}::test_paused_at_a_point_and_overtaken[ARM.committed]"
PAUSED = f"{LOOP}::test_paused_with_its_lock_nobody_else_begins"
SMALL = f"{LOOP}::test_killed_while_small_batches_are_sent"
BEFORE_ARM = f"{LOOP}::test_killed_before_an_arm_nobody_is_uncertain"
KEPT_LIE = f"{LIES}::test_a_lie_on_a_kept_connection_is_seen_through"
LIE = f"{LIES}::test_a_lie_is_seen_through"
REFUSAL = f"{LIES}::test_a_refusal_of_the_credentials_stops_within_the_requests_in_flight"
CONTRACT, PROXIES = "tests/contracts/test_provider.py", "tests/contracts/test_proxy.py"
EXPECTED = "tests/functional/test_confirmation.py"
SETTLING, OPTING_OUT = "tests/functional/test_settling.py", "tests/functional/test_suppressions.py"
REVIEWED, HIGH_WATER = "tests/functional/test_saved_plan.py", "tests/unit/ledger/test_high_water.py"
TIMES = "tests/unit/schedule/test_timing.py"
ON_POSTGRESQL, WITH_WORKERS = "tests/rig/test_on_postgresql.py", "tests/rig/test_workers.py"
PG_STORE, PG_CAMPAIGNS = (
    "tests/unit/ledger/test_postgresql_store.py",
    "tests/unit/ledger/test_postgresql_campaigns.py",
)
GIVEN_UP = f"{WITH_WORKERS}::test_paused_at_a_point_and_given_up[RESULT.heard]"
RECONCILING = "tests/unit/app/test_reconciler.py"
ANSWERED = "tests/unit/providers/webexconnect/test_responses.py"

NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "venv", "*_cache", ".hypothesis", "dist")
LONGEST = 600
"""Seconds for the tests of a mutant; a loop that it makes endless ends then."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """Each of `edits` is a text that stands exactly once in its file, and what it becomes. `breaks`: the promise. `tests`:
    some of them must go red, although an ordinary run with nothing in its way still works.
    """

    name: str
    breaks: str
    edits: tuple[tuple[str, str, str], ...]
    tests: tuple[str, ...]
    quick: bool = False


RUN, OUTCOMES = "notifyctl/apply/run.py", "notifyctl/apply/outcomes.py"
RETRIES = "notifyctl/apply/retries.py"
WRITER, LOCK = "notifyctl/ledger/writer.py", "notifyctl/ledger/sqlite/lock.py"
ANSWERS, CLIENT = (
    "notifyctl/providers/webexconnect/responses.py",
    "notifyctl/providers/webexconnect/client.py",
)
HTTP = "notifyctl/providers/webexconnect/http.py"
TRANSPORT, CONNECTIONS = "notifyctl/transport/client.py", "notifyctl/transport/connections.py"
KEEP_ALIVE = "notifyctl/transport/keep_alive.py"
STATUSES, SENDING = "notifyctl/plan/statuses.py", "notifyctl/app/apply.py"
MATCHING, WATCHER = "notifyctl/app/receipts/recorder.py", "notifyctl/app/opt_outs.py"
MARKS, STORE = "notifyctl/ledger/sqlite/high_water.py", "notifyctl/ledger/sqlite/store.py"
SAVED, WORKERS = "notifyctl/plan/saved.py", "notifyctl/apply/workers.py"
TIMING, OPENINGS, BATCHES = (
    "notifyctl/schedule/timing.py",
    "notifyctl/schedule/opening.py",
    "notifyctl/apply/batches.py",
)

PG = "notifyctl/ledger/postgresql"
PG_WRITER, PG_DATABASE, CAMPAIGNS = f"{PG}/writer.py", f"{PG}/database.py", f"{PG}/campaigns.py"
WORKER_WRITER, SEND_BATCH = f"{PG}/worker_writer.py", "notifyctl/apply/send_batch.py"
RECONCILER, CAMPAIGN_PLAN = "notifyctl/app/workers/reconciler.py", "notifyctl/app/workers/campaign_plan.py"

ARM = "            self._writer.arm(attempt.number, attempt.attempt, seal=prepared.seal, at=self._clock.now())\n"
SETTLE_ONE = (
    "                self._writer.settle(attempt.number, attempt.attempt, outcome, at=self._clock.now())\n"
)
ARM_ONE = (
    '                self._writer.arm(attempt.number, attempt.attempt, seal=b"", at=self._clock.now())\n'
)
ARM_ROW = """\
            self._database.run(
                "INSERT INTO attempt (batch, attempt, epoch, at, seal) VALUES (?, ?, ?, ?, ?)",
                *(number, attempt, self._epoch, stamp(at), seal),
            )
"""
ROW_LATER = """\
            self.__dict__.setdefault("late", []).append((number, attempt, self._epoch, stamp(at), seal))
"""
SETTLE = """\
            row = self._database.row(SETTLING, number, attempt)
"""
LATE_ROWS = """\
            for row in self.__dict__.pop("late", []):
                self._database.run("INSERT INTO attempt (batch, attempt, epoch, at, seal) VALUES (?, ?, ?, ?, ?)", *row)
"""
ARM_THEN_POST = """\
        if self._arm(current):
            self._post(current, armed_at)
"""
POST_THEN_ARM = """\
        self._post(current, armed_at)
        while self._workers._outcomes.empty():
            self._clock.sleep(0.001)
        self._arm(current)
"""
RESERVE = "        self._reserve()\n        current ="
RESERVE_LATER = "        current ="
ARM_THEN_RESERVE = """\
        armed = self._arm(current)
        self._reserve()
        if armed:
            self._post(current, armed_at)
"""
RECORD = "            self._record(attempt, outcome)\n"
RECORD_LATER = """\
            late = self.__dict__.setdefault("late", [])
            late.append((attempt, outcome))
            if len(late) > 8 or self._workers.in_flight == 0:
                for each in late:
                    self._record(*each)
                late.clear()
"""

MUTANTS = (
    Mutant("ARM after POST", "P2", ((RUN, ARM_THEN_POST, POST_THEN_ARM),), (KILLED,)),
    Mutant(
        "ARM only together with RESULT",
        "P2",
        (
            (RUN, ARM, ""),
            (OUTCOMES, SETTLE_ONE, ARM_ONE + SETTLE_ONE),
        ),
        (KILLED,),
    ),
    Mutant(
        "ARM returns before its commit",
        "P2",
        (
            (WRITER, ARM_ROW, ROW_LATER),
            (WRITER, SETTLE, LATE_ROWS + SETTLE),
        ),
        (KILLED,),
        quick=True,
    ),
    Mutant(
        "a batch whose ARM failed is sent anyway",
        "P2",
        ((RUN, "            self._error = self._error or error\n            return False\n", "            self._error = self._error or error\n"),),
        (FULL,),
    ),
    Mutant(
        "ARM before its turn",
        "P4",
        (
            (RUN, RESERVE, RESERVE_LATER),
            (RUN, ARM_THEN_POST, ARM_THEN_RESERVE),
        ),
        (BEFORE_ARM,),
    ),
    Mutant(
        "outcomes are recorded several at a time",
        "P4",
        ((RUN, RECORD, RECORD_LATER),),
        (SMALL,),
    ),
    Mutant(
        "an interrupted request on a kept connection is sent again on another",
        "P1",
        (
            (HTTP, "        response = self._client.send(request)\n", "        try:\n            response = self._client.send(request)\n        except Exception:\n            response = self._client.send(request)\n"),
        ),
        (KEPT_LIE,),
    ),
    Mutant(
        "unknown is tried again by the same run",
        "P1",
        (
            (RUN, "isinstance(outcome, Rejected) and outcome.retryable:", "isinstance(outcome, Rejected | Unknown):"),
            (RETRIES, "min(rejected.retry_after or 0.0, RETRY_AFTER_CAP)", "0.0"),
            (WRITER, "{BatchState.PLANNED, BatchState.REJECTED}", "{BatchState.PLANNED, BatchState.REJECTED, BatchState.UNKNOWN}"),
        ),
        (LIE,),
        quick=True,
    ),
    Mutant(
        "unknown is sent again by the next run",
        "P1",
        (
            (STATUSES, '    BatchState.ARMED: "uncertain",\n', '    BatchState.ARMED: "rejected",\n'),
            (STATUSES, '    BatchState.UNKNOWN: "uncertain",\n', '    BatchState.UNKNOWN: "rejected",\n'),
        ),
        (KILLED,),
    ),
    Mutant(
        "what an earlier run left armed counts as rejected",
        "P4",
        ((WRITER, "SELECT batch, attempt, 'unknown', ", "SELECT batch, attempt, 'rejected', "),),
        (KILLED,),
    ),
    Mutant(
        "what an earlier run left armed is not swept, and is ignored",
        "P4",
        (
            (STATUSES, '    BatchState.ARMED: "uncertain",\n', ""),
            (WRITER, '" WHERE NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.batch = attempt.batch"', '" WHERE 0 AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.batch = attempt.batch"'),
        ),
        (KILLED,),
    ),
    Mutant(
        "the epoch is not compared",
        "P5",
        ((WRITER, "            if row is None or row[0] != self._epoch:\n", "            if row is None:\n"),),
        (OVERTAKEN,),
        quick=True,
    ),
    Mutant(
        "the lock excludes no other run",
        "P5",
        ((LOCK, "LOCK_EX | fcntl.LOCK_NB)\n        os.ftruncate", "LOCK_SH | fcntl.LOCK_NB)\n        os.ftruncate"),),
        (PAUSED,),
    ),
    Mutant(
        "500 counts as a rejection",
        "P1",
        ((ANSWERS, "        case 4, _ if status not in AMBIGUOUS:\n", "        case (4 | 5), _ if status not in AMBIGUOUS:\n"),),
        (LIE,),
    ),
    Mutant(
        "a reset counts as a rejection",
        "P1",
        ((CLIENT, "return Unknown(error.reason)", "return Rejected(error.reason)"),),
        (LIE,),
    ),
    Mutant(
        "a response that cannot be read counts as an acceptance",
        "P4",
        ((ANSWERS, 'return Unknown(f"the response cannot be read ({status})", status)', 'return Accepted("unread", status)'),),
        (LIE,),
    ),
    Mutant(
        "a recipient that a response does not name counts as accepted",
        "P4",
        ((ANSWERS, "unheard=everybody - accepted - sure.keys()", "unheard=frozenset()"),),
        (LIE,),
    ),
    Mutant(
        "an interrupted request behind a proxy counts as never sent",
        "P1",
        ((TRANSPORT, "    if progress.left:\n", "    if progress.left and not progress.through_proxy:\n"),),
        (f"{PROXIES}::test_from_the_first_byte_on_nobody_knows",),
    ),
    Mutant(
        "the request to a proxy counts as the request itself",
        "",
        ((TRANSPORT, "            self.left = self.left or not self._connecting\n", "            self.left = True\n"),),
        (f"{PROXIES}::test_what_never_left_is_certainly_not_accepted",),
    ),
    Mutant(
        "a timeout starts again with each read",
        "",
        ((CONNECTIONS, "            self._socket.settimeout(remaining())\n            data", "            self._socket.settimeout(DEADLINE.get().seconds)\n            data"),),
        (f"{PROXIES}::test_a_server_that_trickles_behind_a_proxy_is_left_alone",),
    ),
    Mutant(
        "data after a response counts as the next response",
        "P4",
        ((KEEP_ALIVE, 'parser.trailing_data == (b"", False) and ', ""),),
        (f"{CONTRACT}::test_after_an_answer_whose_end_is_not_plain_a_new_one_is_made",),
    ),
    Mutant(
        "401 does not end the run",
        "",
        ((RUN, "            self._refused = self._refused or outcome.reason\n", "            pass\n"),),
        (REFUSAL,),
    ),
    Mutant(
        "the digest is not compared",
        "P3",
        ((SENDING, "expected is not None and plan.digest != expected", "plan.digest is None"),),
        (EXPECTED,),
    ),
    Mutant(
        "a batch and a position are believed without their tag",
        "P1",
        ((MATCHING, "any(verify(text, seal) for seal in self.reader.seals(number))", "self.reader.seals(number)"),),
        (f"{SETTLING}::test_a_batch_and_a_position_without_their_tag_settle_nobody",),
    ),
    Mutant(
        "a receipt without our IDs resolves the first of several",
        "P4",
        ((MATCHING, "matches[0] if len(matches) == 1 else NO_MATCH", "matches[0] if matches else NO_MATCH"),),
        (f"{SETTLING}::test_who_is_uncertain_twice_is_not_settled_by_a_guess",),
    ),
    Mutant(
        "opt-outs are not checked before a retry",
        "",
        ((RUN, "self._write_ahead.still_wanted(attempt)", "self._write_ahead.still_wanted(attempt) if attempt.tries == 1 else [attempt]"),),
        (f"{OPTING_OUT}::test_who_opts_out_between_two_attempts_is_not_in_the_second",),
    ),
    Mutant(
        "only the size of a list is compared",
        "",
        ((WATCHER, "return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, fresh)", "return (status.st_size,)"),),
        (f"{OPTING_OUT}::test_a_list_that_is_edited_to_the_same_length_is_read_again",),
    ),
    Mutant(
        "a ledger may lack one record",
        "P1",
        ((MARKS, "        if other.serial > serial:\n", "        if other.serial > serial + 1:\n"),),
        (f"{HIGH_WATER}::test_a_single_fact_too_few_is_noticed",),
    ),
    Mutant(
        "the mark is not raised at the end of a run",
        "P1",
        (
            (STORE, "                    writer.end(writer.ending, at=self._clock.now())\n                    raise_mark(mark, writer)\n", "                    writer.end(writer.ending, at=self._clock.now())\n"),
            (STORE, "at=self._clock.now())\n                            raise_mark(mark, writer)\n", "at=self._clock.now())\n"),
        ),
        (f"{HIGH_WATER}::test_the_end_of_a_run_is_in_it",),
    ),
    Mutant(
        "limits that were raised after the review are accepted",
        "P3",
        ((SAVED, "    if reviewed.policy != now.policy:\n", "    if False:\n"),),
        (f"{REVIEWED}::test_limits_that_were_raised_after_the_review_are_refused",),
    ),
    Mutant(
        "the confirmed number of recipients is not a limit",
        "P3",
        ((SENDING, "plan.sends > most:", "False:"),),
        (f"{EXPECTED}::test_the_number_that_was_confirmed_holds_when_more_becomes_due_meanwhile",),
    ),
    Mutant(
        "a rejection wins over an acceptance of the same answer",
        "P1",
        ((ANSWERS, "    unclear |= accepted & refused.keys()\n", "    accepted -= refused.keys()\n"),),
        (f"{ANSWERED}::test_who_is_listed_as_accepted_and_as_rejected_is_unknown", LIE),
    ),
    Mutant(
        "a machine that slept between ARM and POST does not count as late",
        "P5",
        ((WORKERS, "max((clock.now() - self.now).total_seconds(), clock.monotonic() - self.monotonic)", "clock.monotonic() - self.monotonic"),),
        ("tests/unit/apply/test_workers.py::test_what_was_armed_too_long_ago_is_not_posted",),
    ),
    Mutant(
        "a message is sent at the moment at which it expires",
        "",
        (
            (TIMING, "    if ends is not None and now >= ends:\n", "    if ends is not None and now > ends:\n"),
            (TIMING, "    if limit is not None and now >= limit:\n", "    if limit is not None and now > limit:\n"),
            (TIMING, "(limit is not None and goes >= limit)", "(limit is not None and goes > limit)"),
        ),
        (TIMES,),
    ),
    Mutant(
        "a window ends one instant later",
        "",
        (
            (OPENINGS, "            if end > second:\n", "            if end >= second:\n"),
            (OPENINGS, "moment < self.closes)", "moment <= self.closes)"),
        ),
        (TIMES,),
    ),
    Mutant(
        "a request starts at the instant at which its window ends",
        "",
        ((BATCHES, "ends is not None and clock.now() >= ends", "ends is not None and clock.now() > ends"),),
        ("tests/unit/apply/test_workers.py", "tests/unit/apply/test_run.py"),
    ),
    Mutant(
        "the recipients of a request are not claimed",
        "P1",
        ((PG_WRITER, '        if self._database.rows("SELECT claim_members(?)", number) == [(True,)]:\n', "        if True:\n"),),
        (f"{PG_STORE}::test_nobody_is_in_two_requests_of_a_scope",),
    ),
    Mutant(
        "what a claim is passed on from is not asked",
        "P1",
        ((PG_WRITER, "        for state in states_of(batch, people) - self._given_up(batch):\n", "        for state in ():\n"),),
        (f"{PG_STORE}::test_nobody_is_in_two_requests_of_a_scope",),
    ),
    Mutant(
        "a request is armed without the shared lock",
        "P5",
        ((PG_DATABASE, 'self._transaction(f"SELECT {locks.SHARE_FENCE}; {LAST_RUN}")', "self._transaction(LAST_RUN)"),),
        (f"{ON_POSTGRESQL}::test_the_fence_is_held_until_the_commit",),
    ),
    Mutant(
        "an epoch begins while others hold the shared lock",
        "P5",
        ((PG_DATABASE, "{locks.TAKE_FENCE}", "{locks.SHARE_FENCE}"),),
        (f"{ON_POSTGRESQL}::test_the_fence_is_held_until_the_commit",),
    ),
    Mutant(
        "a halt is ignored at ARM",
        "P5",
        ((PG_WRITER, "        if not may_arm:  # asked in one query, explained by others\n", "        if may_arm is None:\n"),),
        (f"{PG_STORE}::test_nothing_is_armed_while_sending_is_halted",),
    ),
    Mutant(
        "workers send again what is unknown",
        "P1",
        (
            (WRITER, "        if state not in {BatchState.PLANNED, BatchState.REJECTED}:\n", "        if state is BatchState.ACCEPTED:\n"),
            (SEND_BATCH, "        if record.state not in {BatchState.PLANNED, BatchState.REJECTED}:\n", "        if record.state in {BatchState.ACCEPTED, BatchState.ARMED}:\n"),
            (CAMPAIGNS, "AND state IN ('planned', 'rejected', 'armed')\"\n", "AND state <> 'accepted'\"\n"),
        ),
        (GIVEN_UP,),
    ),
    Mutant(
        "what a dead worker left armed counts as rejected",
        "P1",
        ((CAMPAIGNS, "SELECT ?, ?, 'unknown', ?, ?, ?", "SELECT ?, ?, 'rejected', ?, ?, ?"),),
        (GIVEN_UP,),
    ),
    Mutant(
        "the attempt of another worker is treated as one that never left",
        "P1",
        ((WORKER_WRITER, "AND worker = ? AND NOT EXISTS", "AND (worker = ? OR true) AND NOT EXISTS"),),
        (f"{PG_CAMPAIGNS}::test_of_two_workers_with_one_batch_one_arms_it",),
    ),
    Mutant(
        "a worker sends what it renders, whatever the campaign says",
        "P3",
        (
            (CAMPAIGN_PLAN, "    if plan.digest != campaign.digest:\n", "    if False:\n"),
            (CAMPAIGN_PLAN, "content_check(job.members()) != campaign.content_check", "False"),
        ),
        ("tests/functional/test_campaign_plan.py::test_other_files_render_no_batch",),
    ),
    Mutant(
        "what the queue lost is not added again",
        "P4",
        ((RECONCILER, "                self._queue.defer(database.connection, missing)\n", ""),),
        (RECONCILING,),
    ),
    Mutant(
        "a campaign ends although some of it was planned again meanwhile",
        "P4",
        ((CAMPAIGNS, "        done = not unended(database, campaign.first_batch, last_batch(database, campaign), limit=1)\n", "        done = True\n"),),
        (RECONCILING,),
    ),
)  # fmt: skip


def tried(mutant: Mutant | None, tests: tuple[str, ...]) -> str | None:
    """The first test that is red, and why; None when all are green."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        # With their times and what was compiled of them: only what is broken is compiled again.
        shutil.copytree(ROOT, copy, symlinks=True, ignore=NOT_COPIED, dirs_exist_ok=True)
        for file, old, new in mutant.edits if mutant else ():
            source = (copy / file).read_text(encoding="utf-8")
            assert source.count(old) == 1, f"{mutant}: its text does not stand once in {file}"
            (copy / file).write_text(source.replace(old, new), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "--no-header",
            "-p",
            "no:cacheprovider",
            *tests,
        ]
        environ = {
            **os.environ,
            "PYTHONPATH": folder,
            "COLUMNS": "200",
            "CI": "1",
        }
        try:
            ended = subprocess.run(
                command,
                cwd=copy,
                env=environ,
                capture_output=True,
                text=True,
                check=False,
                timeout=LONGEST,
            )
        except subprocess.TimeoutExpired:
            return "tests that never end"
    assert ended.returncode in {0, 1}, ended.stdout + ended.stderr
    failed = re.search(r"^(?:FAILED|ERROR) \S+?::(.*)", ended.stdout, re.MULTILINE)
    return failed[1] if failed else None


def verdict(mutant: Mutant, *, ordinary: bool = True) -> str:
    """`killed by …`; otherwise what is wrong with the suite, or with the mutant. `ordinary`: look whether it works at all."""
    broken = tried(mutant, (ORDINARY,)) if ordinary else None
    if broken is not None:
        return f"BROKEN: not even an ordinary run works: {broken}"
    why = tried(mutant, mutant.tests)
    return "SURVIVED" if why is None else f"killed by {why}"


def main(arguments: list[str]) -> int:
    names = [argument for argument in arguments if argument != "--all"]
    chosen = [m for m in MUTANTS if (m.name in names if names else m.quick or "--all" in arguments)]
    why = tried(None, tuple(dict.fromkeys([ORDINARY, *(test for m in chosen for test in m.tests)])))
    say("nothing", "", "green" if why is None else f"RED: {why}")
    killed = 0
    for mutant in chosen:
        said = verdict(mutant)
        killed += said.startswith("killed")
        say(mutant.name, mutant.breaks, said)
    sys.stdout.write(f"{killed} of {len(chosen)} killed\n")
    return 0 if why is None and chosen and killed == len(chosen) else 1


def say(*cells: str) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
