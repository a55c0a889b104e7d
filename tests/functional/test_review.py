"""A change in git, reviewed: what it does to whom, as Markdown that stays one comment and does nothing by itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.views.changes import word_diff
from notifyctl.views.markdown import BUDGET, code_fence

GOLDEN = Path(__file__).parents[1] / "cases" / "review" / "expected.md"
CASES = Path(__file__).parents[1] / "cases" / "review"
TWO_PROJECTS = CASES / "two-projects"
STALE = CASES / "stale-comment"
PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
environments:
  sandbox: {provider: sandbox, pricing: prices.csv}
"""
PRICES = "prefix,channel,price,currency\n+44,sms,0.04,EUR\n+1,sms,0.01,USD\n"
SMS = """\
apiVersion: notifyctl/v1
kind: Notification
name: {name}
template: {{channel: sms, content: {{type: text, text: "{text}"}}}}
audience: {{source: {{file: {people}}}}}
"""
RCS = """\
apiVersion: notifyctl/v1
kind: Notification
name: card
template:
  channel: rcs
  content:
    type: standalone
    richCard:
      title: {title}
      media: {{url: https://static.acme.example/a.png, height: TALL}}
      suggestions: [{{type: reply, displayText: {chip}}}]
audience: {{recipients: [{{msisdn: "+447700900001"}}]}}
"""


class Repository:
    """A scratch repository with a project in it."""

    def __init__(self, cli: Any) -> None:
        self.cli = cli
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        named = ["-c", "user.name=ada", "-c", "user.email=ada@acme.example", "-c", "commit.gpgsign=false"]
        return subprocess.check_output(
            ["git", "-C", str(self.cli.root), *named, *arguments], text=True
        ).strip()

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")

    def people(self, name: str, count: int, *more: str) -> None:
        rows = [f"+447700900{n:03},P{n}" for n in range(count)]
        self.cli.write(**{name: "\n".join(["msisdn,name", *rows, *more]) + "\n"})

    def plan(self, *arguments: str) -> Any:
        result = self.cli(
            "plan", "--offline", "--base", "main", "--as-of", "2026-12-01T09:00:00Z", *arguments
        )
        assert result.code == 0, result.err
        return result


@pytest.fixture
def repository(cli: Any) -> Repository:
    made = Repository(cli)
    cli.write(notifyctl=PROJECT, **{"prices.csv": PRICES})
    for name, people in (("edited", "a.csv"), ("grown", "b.csv"), ("gone", "a.csv"), ("again", "a.csv")):
        cli.write(**{name: SMS.format(name=name, text=f"Hello $(name), this is {name}.", people=people)})
    cli.write(same=SMS.format(name="same", text="Nothing new.", people="a.csv"))
    cli.write(quiet=SMS.format(name="quiet", text="Hush.", people="a.csv"))
    cli.write(card=RCS.format(title="One", chip='"Yes"'))
    made.people("a.csv", 12)
    made.people("b.csv", 20)
    made.commit()
    made.git("checkout", "-q", "-b", "change")
    return made


@pytest.fixture
def changed(repository: Repository) -> Repository:
    cli = repository.cli
    cli.write(edited=SMS.format(name="edited", text="Good morning $(name), this is edited.", people="a.csv"))
    repository.people("b.csv", 19, "+12025550123,Q", "+12025550124,R", "+447700900999,S")
    (cli.root / "gone.yaml").unlink()
    cli.write(
        again=SMS.format(name="again", text="Hello $(name), this is again.", people="a.csv") + "edition: 2\n"
    )
    cli.write(new=SMS.format(name="new", text="Something new, $(name)", people="a.csv"))
    cli.write(quiet=SMS.format(name="quiet", text="Hush.", people="a.csv") + "callbackData: december\n")
    cli.write(card=RCS.format(title="Two", chip='"No"'))
    return repository


def test_each_notification_has_its_category_and_counts(changed: Repository) -> None:
    review = changed.plan("--format", "json").json["review"]
    assert review["base"] == changed.git("rev-parse", "--short=12", "main")
    assert review["unchanged"] == 1
    by_name = {each["name"]: each for each in review["changes"]}
    assert {name: each["category"] for name, each in by_name.items()} == {
        "again": "resend",
        "edited": "correction",
        "card": "correction",
        "gone": "withdraw",
        "new": "first-send",
        "grown": "joiners",
        "quiet": "cosmetic",
    }
    grown = by_name["grown"]
    assert (grown["joined"], grown["left"]) == (3, 1)
    assert (grown["before"]["recipients"], grown["after"]["recipients"]) == (20, 22)
    assert grown["before"]["costs"] == [{"amount": "0.8", "currency": "EUR", "unpriced": 0}]
    assert grown["after"]["costs"] == [
        {"amount": "0.8", "currency": "EUR", "unpriced": 0},
        {"amount": "0.02", "currency": "USD", "unpriced": 0},
    ]
    assert [(t["where"], t["before"], t["after"]) for t in by_name["card"]["texts"]] == [
        ("content.richCard.title", "One", "Two"),
        ("content.richCard.suggestions.0.displayText", "Yes", "No"),
    ]
    assert {name: each["effects"] for name, each in by_name.items()} == {
        "again": ["resend"],
        "edited": ["text-changed"],
        "card": ["text-changed"],
        "gone": ["withdrawn"],
        "new": ["new"],
        "grown": ["recipients-changed"],
        "quiet": ["no-effect-on-recipients"],
    }
    [setting] = by_name["quiet"]["envelope"]
    assert (setting["what"], setting["before"], setting["after"]) == ("callbackData", None, "december")


def test_the_markdown_is_what_a_person_read_and_liked(changed: Repository) -> None:
    text = changed.plan("--format", "markdown").out
    text = text.replace(changed.git("rev-parse", "--short=12", "main"), "BASE")
    text = re.sub(
        r"at=\S+ -->", "at=MADE -->", re.sub(r"as they were at \S+ \S+ UTC", "as they were at MADE", text)
    )
    if not GOLDEN.exists():  # written once, read by a person, and compared with from then on
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_the_text_form_tells_the_same(changed: Repository) -> None:
    out = changed.plan().out
    for part in (
        "Compared with",
        "edited  text changed: recipients already sent the old message are not sent the new one",
        "[-Hello-]{+Good morning+}",
        "recipients: 20 → 22 (3 added, 1 removed)",
        "again  resend: sent again to all recipients",
        "quiet  no effect on recipients: both versions would post the same requests",
    ):
        assert part in out


def test_an_unknown_commit_is_wrong_usage(repository: Repository) -> None:
    result = repository.cli("plan", "--offline", "--base", "no-such-branch")
    assert result.code == 64
    assert "no-such-branch" in result.err


def test_a_base_that_cannot_be_read_makes_everything_new(repository: Repository) -> None:
    repository.git("checkout", "-q", "main")
    repository.cli.write(same="apiVersion: notifyctl/v1\nkind: Notifcation\n")
    repository.commit()
    repository.git("checkout", "-q", "change")
    review = repository.plan("--format", "json").json["review"]
    assert "errors" in review["problem"]
    assert {each["category"] for each in review["changes"]} == {"first-send"}


def test_the_base_is_read_from_git_and_not_by_its_filters(repository: Repository) -> None:
    """A smudge filter and a hook of the repository would run something; nothing runs."""
    trap = repository.cli.root / "trapped"
    repository.git("config", "filter.trap.smudge", f"touch {trap}; cat")
    repository.git("config", "filter.trap.process", f"touch {trap}")
    repository.git("config", "core.fsmonitor", f"touch {trap}")
    repository.cli.write(**{".gitattributes.txt": ""})
    (repository.cli.root / ".gitattributes").write_text("*.yaml filter=trap\n")
    repository.plan("--format", "json")
    assert not trap.exists()


def test_a_moved_notification_is_compared_with_its_old_name(repository: Repository) -> None:
    (repository.cli.root / "same.yaml").unlink()
    moved = "---\napiVersion: notifyctl/v1\nkind: Moved\nfrom: same\nto: other\n"
    repository.cli.write(other=SMS.format(name="other", text="Nothing new.", people="a.csv") + moved)
    [change] = repository.plan("--format", "json").json["review"]["changes"]
    assert (change["name"], change["effects"]) == ("other", ["renamed"])


def test_a_baseline_is_a_change(repository: Repository, forge: Forge, ci: str) -> None:
    baseline = "---\napiVersion: notifyctl/v1\nkind: Baseline\nnotification: same\nreason: a letter\n"
    repository.cli.write(same=SMS.format(name="same", text="Nothing new.", people="a.csv") + baseline)
    [change] = repository.plan("--format", "json").json["review"]["changes"]
    assert (change["name"], change["left"]) == ("same", 12)
    assert "created" in review(repository).err
    assert "12 baseline: counted as already notified" in forge.bodies[0]


def test_an_acknowledged_change_is_forward_only(repository: Repository) -> None:
    changed = SMS.format(name="edited", text="Good morning $(name).", people="a.csv")
    repository.cli.write(edited=changed)
    found = repository.cli("plan", "--offline", "--format", "json").json["notifications"]
    ours = next(each["content_hash"] for each in found if each["name"] == "edited")
    repository.cli.write(edited=changed + f"acknowledge: {ours}\n")
    [change] = repository.plan("--format", "json").json["review"]["changes"]
    assert change["category"] == "forward-only"


def test_an_audience_that_is_not_here_is_stood_in_for(repository: Repository) -> None:
    template = (
        "{channel: sms, variables: {name: {example: Ada}, area: {}},"
        " content: {type: text, text: Hi $(name) in $(area)}, locales: {fr: {content: {text: Salut $(name) à $(area)}}}}"
    )
    doc = "apiVersion: notifyctl/v1\nkind: Notification\nname: far\naudience: {source: {file: not-in-git.csv}}\n"
    repository.cli.write(far=doc + f"template: {template}\n")
    plan = repository.plan("--format", "json").json
    [far] = [each for each in plan["notifications"] if each["name"] == "far"]
    assert [sample["content"]["text"] for sample in far["samples"]] == [
        "Hi Ada in [area]",
        "Salut Ada à [area]",
    ]
    assert "sample data" in json.dumps(plan["diagnostics"])
    assert (plan["complete"], plan["applyable"]) == (False, False)
    assert repository.cli("lint").code == 1, "lint still asks for the file"
    assert repository.cli("plan").code == 1, "and so does a plan that could be applied"


# Within what a comment may hold


def test_many_changes_stay_within_a_comment(repository: Repository) -> None:
    for n in range(400):
        repository.cli.write(
            **{
                f"n{n:03}": SMS.format(
                    name=f"n{n:03}",
                    text=f"Number {n} $(name) " + "word " * 30,
                    people="b.csv" if n % 2 else "a.csv",
                )
            }
        )
    text = repository.plan("--format", "markdown").out
    assert len(text.encode()) <= BUDGET
    assert text.count("<details>") == text.count("</details>") > 20
    left = re.search(r"_([0-9,]+) more notifications with fewer recipients", text)
    assert left is not None
    assert text.count("<details>") + int(left[1]) == 400
    shown = re.findall(r"<b>n(\d+)</b>", text)
    assert all(int(n) % 2 for n in shown), "the larger audiences are kept"


HOSTILE = "```\n</details><img src=x onerror=1>@all ::error::x\u202e \u001b[31m `code` [a](http://b.example) <!-- -->\n````\n::set-env name=A::b"


def test_hostile_words_are_inert_in_every_form(repository: Repository) -> None:
    body = json.dumps(HOSTILE)
    doc = (
        SMS.format(name="evil", text="TEXT", people="a.csv")
        .replace('"TEXT"', body)
        .replace("type: text", "type: unicode")
    )
    repository.cli.write(evil=doc + f"callbackData: {json.dumps('@all </details> `x` ::error::')}\n")
    for form in ("markdown", "text"):
        out = repository.plan("--format", form).out
        assert "\x1b[31m" not in out
        assert "\u202e" not in out
        assert not [line for line in out.splitlines() if line.lstrip().startswith(("::", "##["))]
    text = repository.plan("--format", "markdown").out
    assert outside_fences(text).count("</details>") == text.count("<details>")
    assert "@all" not in re.sub(r"`+[^`].*?`+", "", outside_fences(text))
    assert "<img" not in outside_fences(text)


def outside_fences(text: str) -> str:
    """What GitHub reads as markup: all but fenced blocks, each closed by a run at least as long as its own."""
    kept, fence = [], ""
    for line in text.splitlines():
        run = re.match(r"`{3,}", line)
        if not fence and run:
            fence = run[0]
        elif fence and re.fullmatch(r"`{3,}\s*", line) and len(line.strip()) >= len(fence):
            fence = ""
        elif not fence:
            kept.append(line)
    assert not fence, "every fence is closed"
    return "\n".join(kept)


@given(st.text(st.sampled_from("`~<>/@:\n\r\x1b\u202ea "), max_size=60))
def test_nothing_leaves_its_fence(text: str) -> None:
    assert outside_fences("\n".join(code_fence(text))) == ""


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_word_diff_holds_both_texts(before: str, after: str) -> None:
    said = word_diff(before, after)
    marked = re.compile(r"\[-(.*?)-\]|\{\+(.*?)\+\}", re.DOTALL)
    if not re.search(r"\[-|-\]|\{\+|\+\}", before + after):
        assert marked.sub(lambda m: m[1] or "", said).replace("", "") == before
        assert marked.sub(lambda m: m[2] or "", said) == after


def test_no_address_and_no_secret_leaves(changed: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "canary-token-of-ours")
    for form in ("markdown", "text", "json"):
        out = changed.plan("--format", form).out
        assert "canary" not in out
        assert not re.search(r"7700900\d{3}|2025550\d{3}", out)


# The comment

ACTIONS = "github-actions[bot]"


@dataclass
class Forge:
    """GitHub's and GitLab's endpoints for comments, as their documentation has them."""

    url: str = ""
    account: str | None = "acme-bot"
    """The token's own; None for one of GitHub that may not ask."""
    viewer: str | None = None
    """What GraphQL says of the account; None if it refuses too."""
    comments: list[dict[str, Any]] = field(default_factory=list)
    said: list[tuple[str, str, str]] = field(default_factory=list)
    refuse: int = 0

    @property
    def bodies(self) -> list[str]:
        return [str(comment["body"]) for comment in self.comments]

    def comment(self, body: str, author: str) -> dict[str, Any]:
        number = len(self.comments) + 1
        return {"id": number, "body": body, "user": {"login": author}, "author": {"username": author}}

    def who(self, path: str) -> tuple[int, Any]:
        """What the forge answers to who asks for the token's account."""
        name = self.account if path == "/user" else self.viewer
        if name is None:
            return 403, {"message": "Resource not accessible by integration"}
        account = {"id": 1, "login": name, "username": name}
        return 200, account if path == "/user" else {"data": {"viewer": account}}

    def handler(forge) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def answer(self, status: int, body: Any) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def handled(self) -> None:
                parts = urlsplit(self.path)
                token = self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or ""
                forge.said.append((self.command, parts.path, token))
                data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if forge.refuse:
                    return self.answer(forge.refuse, {"message": f"no: {token}"})
                if parts.path in {"/user", "/graphql"}:
                    return self.answer(*forge.who(parts.path))
                if self.command == "GET":
                    query = parse_qs(parts.query)
                    page, size = int(query["page"][0]), int(query["per_page"][0])
                    return self.answer(200, forge.comments[(page - 1) * size : page * size])
                body = json.loads(data)["body"]
                if self.command == "POST":
                    forge.comments.append(forge.comment(body, forge.account or forge.viewer or ACTIONS))
                    return self.answer(201, forge.comments[-1])
                found = next(c for c in forge.comments if str(c["id"]) == parts.path.rpartition("/")[2])
                found["body"] = body
                return self.answer(200, found)

            do_GET = do_POST = do_PATCH = do_PUT = handled  # noqa: N815 - the names that the server calls

            def log_message(self, *args: object) -> None:
                """Quiet."""

        return Handler


@pytest.fixture
def forge() -> Iterator[Forge]:
    made = Forge()
    server = ThreadingHTTPServer(("127.0.0.1", 0), made.handler())
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["github", "gitlab"])
def ci(request: pytest.FixtureRequest, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in ("GITHUB_REPOSITORY", "CI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    settings = {
        "github": {
            "GITHUB_REPOSITORY": "acme/alerts",
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_API_URL": forge.url,
            "GITHUB_TOKEN": "canary-token",
        },
        "gitlab": {
            "CI_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_API_V4_URL": forge.url,
            "GITLAB_TOKEN": "canary-token",
        },
    }[request.param]
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return str(request.param)


def review(repository: Repository, *arguments: str) -> Any:
    return repository.cli("review", "--offline", "--base", "main", *arguments)


def test_one_comment_is_made_updated_and_left(changed: Repository, forge: Forge, ci: str) -> None:
    for number in range(120):
        forge.comments.append(forge.comment(f"words of others {number}", "bob"))
    assert "created" in review(changed).err
    assert len(forge.comments) == 121
    assert "left: it says the same" in review(changed).err
    changed.cli.write(edited=SMS.format(name="edited", text="Another word.", people="a.csv"))
    assert "updated" in review(changed).err
    assert len(forge.comments) == 121
    assert "Another word." in forge.comments[-1]["body"]
    verb, path = {
        "github": ("PATCH", "/repos/acme/alerts/issues/comments/121"),
        "gitlab": ("PUT", "/projects/42/merge_requests/7/notes/121"),
    }[ci]
    assert forge.said[-1][:2] == (verb, path)


def test_an_older_run_never_replaces_a_newer_one(changed: Repository, forge: Forge, ci: str) -> None:
    assert review(changed).code == 0
    newer = re.sub(r"at=\S+", "at=2099-01-01T00:00:00+00:00", forge.comments[0]["body"])
    forge.comments[0]["body"] = newer
    assert "a newer plan is there" in review(changed).err
    assert forge.bodies == [newer]


STRANGERS = (
    "<!-- notifyctl:plan env=sandbox digest=sha256:0 at=2099-01-01T00:00:00+00:00 -->\n## ✅ `acme` · `sandbox`: all fine",
    "<!-- notifyctl:plan project=acme in=. env=sandbox digest=sha256:0 at=2099-01-01T00:00:00+00:00 -->\nall fine",
)


@pytest.mark.parametrize("body", STRANGERS)
def test_a_strangers_marker_changes_nothing(changed: Repository, forge: Forge, ci: str, body: str) -> None:
    forge.comments.append(forge.comment(body, "mallory"))
    assert "created" in review(changed).err
    changed.cli.write(edited=SMS.format(name="edited", text="Another word.", people="a.csv"))
    assert "updated" in review(changed).err
    assert [forge.bodies[0], len(forge.comments)] == [body, 2]
    assert "Another word." in forge.bodies[1]


def test_a_marker_that_our_account_quotes_is_not_ours(changed: Repository, forge: Forge, ci: str) -> None:
    """Another job of the same account repeats what a stranger wrote."""
    said = f"mallory says: {STRANGERS[1]}"
    forge.comments.append(forge.comment(said, "acme-bot"))
    assert "created" in review(changed).err
    assert forge.bodies[0] == said


@pytest.mark.parametrize("viewer", [None, "acme-app[bot]"])
def test_a_token_of_github_that_may_not_ask_for_its_account(
    changed: Repository, forge: Forge, ci: str, viewer: str | None
) -> None:
    """The token of Actions, and that of an app."""
    forge.account, forge.viewer = None, viewer
    forge.comments.append(forge.comment(STRANGERS[1], "mallory"))
    if ci == "gitlab":
        assert review(changed).code == 1
        return
    assert "created" in review(changed).err
    assert "left: it says the same" in review(changed).err
    assert len(forge.comments) == 2


def test_a_comment_of_an_earlier_version_is_taken_over(changed: Repository, forge: Forge, ci: str) -> None:
    """It did not name the project in its marker, but in its title."""
    ours = review(changed) and forge.bodies[0]
    earlier = re.sub(r"project=\S+ in=\S+ ", "", str(ours)).replace("Good morning", "Good evening")
    other = earlier.replace("`acme`", "`other`")
    forge.comments[:] = []
    for body in (other, earlier):
        forge.comments.append(forge.comment(body, "acme-bot"))
    assert "updated" in review(changed).err
    assert forge.bodies[0] == other
    assert "Good morning" in forge.bodies[1]
    assert len(forge.comments) == 2


@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_two_projects_have_two_comments(cli: Any, forge: Forge, ci: str, name: str) -> None:
    """By the name, and where it is the same, by the folder."""
    made = Repository(cli)
    for folder in ("alpha", "beta"):
        shutil.copytree(TWO_PROJECTS / folder, cli.root / folder)
    project = cli.root / "beta" / "notifyctl.yaml"
    project.write_text(project.read_text().replace("name: beta", f"name: {name}"))
    made.commit()
    for folder in ("alpha", "beta", "alpha", "beta"):
        assert cli("review", "-C", str(cli.root / folder)).code == 0
    assert len(forge.comments) == 2
    assert "## ✅ `alpha`" in forge.bodies[0]
    assert f"## ✅ `{name}`" in forge.bodies[1]


@pytest.fixture
def sent(cli: Any) -> Repository:
    """What the branch had was sent once."""
    made = Repository(cli)
    for path in STALE.glob("*.yaml"):
        shutil.copy(path, cli.root)
    made.commit()
    assert cli("apply").code == 0
    return made


def test_a_change_that_is_taken_back_is_said(sent: Repository, forge: Forge, ci: str) -> None:
    notification = sent.cli.root / "n.yaml"
    before = notification.read_text()
    notification.write_text(before + "edition: 2\n")
    assert "created" in sent.cli("review", "--base", "HEAD").err
    assert "sends to **1 recipient**" in forge.bodies[0]
    notification.write_text(before)
    assert "updated" in sent.cli("review", "--base", "HEAD").err
    assert "sends **no messages**" in forge.bodies[0]
    assert "No changes any more." in forge.bodies[0]
    assert "left" in sent.cli("review", "--base", "HEAD").err


def test_a_comment_about_something_blocked_follows_what_is_not(
    sent: Repository, forge: Forge, ci: str
) -> None:
    notification = sent.cli.root / "n.yaml"
    before = notification.read_text()
    notification.write_text(before.replace("Hello", "Goodbye"))
    assert "created" in sent.cli("review", "--base", "HEAD", "--when", "blocked").err
    assert "sends **no messages**; 1 recipient needs attention" in forge.bodies[0]
    notification.write_text(before.replace("Hello", "Goodbye") + "edition: 2\n")
    assert "updated" in sent.cli("review", "--base", "HEAD", "--when", "blocked").err
    assert "sends to **1 recipient**" in forge.bodies[0]
    assert "No changes" not in forge.bodies[0]


@pytest.mark.parametrize("broken", ["apiVersion: notifyctl/v1\nkind: Nothing\n", "a: [\n"])
def test_a_project_that_breaks_leaves_no_old_plan_standing(
    sent: Repository, forge: Forge, ci: str, broken: str
) -> None:
    notification = sent.cli.root / "n.yaml"
    assert "created" in sent.cli("review", "--when", "always").err
    sent.cli.write(broken=broken)
    assert sent.cli("review").code == 1
    assert len(forge.comments) == 1
    assert "no plan can be made" in forge.bodies[0]
    assert "sends to" not in forge.bodies[0]
    (sent.cli.root / "broken.yaml").unlink()
    notification.write_text(notification.read_text() + "edition: 2\n")
    assert "updated" in sent.cli("review").err
    assert "sends to **1 recipient**" in forge.bodies[0]


def test_no_comment_is_made_about_a_project_that_is_broken_from_the_start(
    sent: Repository, forge: Forge, ci: str
) -> None:
    sent.cli.write(broken="a: [\n")
    assert sent.cli("review").code == 1
    assert forge.comments == []


def test_each_environment_has_its_own_comment(changed: Repository, forge: Forge, ci: str) -> None:
    project = changed.cli.root / "notifyctl.yaml"
    project.write_text(project.read_text() + "  staging: {provider: sandbox}\n")
    assert review(changed).code == 0
    assert review(changed, "-e", "staging").code == 0
    assert len(forge.comments) == 2


@pytest.mark.parametrize("status", [401, 403, 404, 422, 500])
def test_a_failure_of_the_forge_is_told_without_the_token(
    changed: Repository, forge: Forge, ci: str, status: int
) -> None:
    forge.refuse = status
    result = review(changed)
    assert result.code == 1
    assert str(status) in result.err
    assert "canary" not in result.err + result.out


def test_when_decides(repository: Repository, forge: Forge, ci: str) -> None:
    assert "no comment" in review(repository).err, "nothing changes"
    assert "no comment" in review(repository, "--when", "changes").err
    assert review(repository, "--when", "always").code == 0
    assert len(forge.comments) == 1


def test_without_a_forge_it_says_what_is_missing(
    changed: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_REPOSITORY", "CI_PROJECT_ID", "GITHUB_TOKEN", "GITHUB_REF"):
        monkeypatch.delenv(name, raising=False)
    assert review(changed).code == 64
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/alerts")
    assert "--pull" in review(changed).err
    assert "GITHUB_TOKEN" in review(changed, "--pull", "7").err
