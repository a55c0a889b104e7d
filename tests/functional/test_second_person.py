"""`policy.accept`: an author does not accept what they wrote, under whatever name, and no change loosens its own rule."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from notifyctl.errors import AcceptanceRefusedError, UsageError
from notifyctl.model.accept_rule import AcceptRule
from notifyctl.model.acceptance import Identity, Proof
from tests.functional.acceptors import ADA, BOB, EVE, SERIES, STATEMENT, TEMPLATE, Key, Repository

ANOTHER = "by: another"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A series of which Ada wrote all, and rows that Eve changed."""
    repository = Repository(tmp_path_factory.mktemp("written") / "project")
    repository.rule(ANOTHER)
    repository.commit(
        series_yaml=SERIES, template_yaml=TEMPLATE, words_txt="Good day", members_csv="phone\n+447700900123\n"
    )
    repository.commit(EVE, "rows", members_csv="phone\n+447700900123\n+447700900124\n")
    return repository.root


@pytest.fixture
def repository(written: Path, tmp_path: Path) -> Repository:
    shutil.copytree(written, tmp_path / "project")
    return Repository(tmp_path / "project")


def refuses(repository: Repository, *words: str, **given: Any) -> str:
    """What is said to who accepts in vain."""
    with pytest.raises(AcceptanceRefusedError) as refused:
        repository.check(**given)
    said = f"{refused.value.message}\n{refused.value.hint}"
    for each in words:
        assert each in said
    assert "nothing was recorded" in said
    assert refused.value.exit_code == 3
    return said


def test_an_author_is_refused_under_every_user_of_the_system(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.git("config", "user.email", "")
    for user in ("USER", "LOGNAME", "SUDO_USER", "USERNAME"):
        monkeypatch.setenv(user, "bob")
        refuses(repository, "`ada@acme.example` wrote a part", "another person", email=ADA, **{user: "bob"})
        refuses(repository, "user of this system", "git config user.email", **{user: "bob"})


@pytest.mark.parametrize("email", ["Ada@Acme.example", "ada+work@acme.example"])
def test_spellings_of_an_address_are_one_person(repository: Repository, email: str) -> None:
    refuses(repository, "wrote a part", email=email)


def test_another_person_is_accepted_and_claimed_as_that(repository: Repository) -> None:
    found = repository.check(email=BOB)
    assert found.identity == Identity(BOB, Proof.CLAIMED)
    assert found.revision == repository.git("rev-parse", "HEAD")
    assert repository.check(email=EVE).identity.name == EVE, "rows are not the series"


def test_everybody_who_committed_is_an_author(repository: Repository) -> None:
    trailers = "Co-authored-by: Eve <eve@acme.example>\r\nco-authored-BY: yan@acme.example"
    repository.commit(BOB, f"words\n\n{trailers}", words_txt="Good evening")
    for email in (ADA, BOB, EVE, "yan@acme.example"):
        refuses(repository, "wrote a part", email=email)
    repository.check(email="zoe@acme.example")


def test_a_committer_is_an_author_unless_it_is_the_forge(repository: Repository) -> None:
    repository.write(words_txt="Good night")
    repository.git("commit", "-qam", "words", GIT_COMMITTER_EMAIL="noreply@github.com")
    repository.check(email=BOB)
    repository.write(words_txt="Good bye")
    repository.git("commit", "-qam", "words", GIT_COMMITTER_EMAIL=BOB)
    refuses(repository, "wrote a part", email=BOB)


def test_authors_are_those_since_the_last_acceptance(repository: Repository) -> None:
    repository.accept(email=BOB)
    repository.commit(EVE, words_txt="Good evening")
    refuses(repository, "wrote a part", email=EVE)
    repository.check(email=ADA)
    repository.accept(email=ADA, fingerprint=STATEMENT.fingerprint)
    refuses(repository, "wrote a part", email=EVE)  # a renewal of the same: still Eve's
    repository.acceptances.append(replace(repository.acceptances[-1], revoked=True))
    refuses(repository, "wrote a part", email=EVE)


def test_files_that_are_new_to_a_series_count_whole(repository: Repository) -> None:
    repository.commit(EVE, other_txt="Send us your password")
    repository.accept(email=BOB)
    repository.commit(BOB, template_yaml=TEMPLATE.replace("words.txt", "other.txt"))
    refuses(repository, "`eve@acme.example` wrote a part", email=EVE)


@pytest.mark.parametrize("accepted", [False, True])
def test_a_moved_file_keeps_its_authors(repository: Repository, *, accepted: bool) -> None:
    if accepted:
        repository.accept(email=BOB)
    repository.commit(EVE, words_txt="Good evening,\nall of you\n")
    repository.git("config", "diff.renames", "false")
    repository.git("mv", "words.txt", "texts.txt", by=BOB)
    repository.commit(BOB, template_yaml=TEMPLATE.replace("words.txt", "texts.txt"))
    refuses(repository, "wrote a part", email=EVE)


def test_a_calendar_of_holidays_is_a_file_of_the_series(repository: Repository) -> None:
    event = (
        "BEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\nDTSTART;VALUE=DATE:20261225\nSUMMARY:x\nEND:VEVENT\n"
    )
    calendar = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{event}END:VCALENDAR\n"
    repository.commit(EVE, days_ics=calendar)
    observed = SERIES.replace('cron: "0 9 * * MON"', 'cron: "0 9 * * MON"\nholidays: {file: days.ics}')
    repository.commit(BOB, series_yaml=observed)
    refuses(repository, "`eve@acme.example` wrote a part", email=EVE)


def test_a_merge_by_hand_has_an_author_and_a_plain_one_has_none(repository: Repository) -> None:
    old = repository.git("rev-parse", "HEAD")
    repository.commit(ADA, words_txt="Good evening")
    repository.accept(email=BOB)
    repository.git("checkout", "-q", "-b", "side", old)
    repository.commit(ADA, "unrelated", notes_txt="x")
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "side", "-m", "merge", by=EVE)
    repository.check(email=EVE)
    # The words from before the acceptance come back by a merge, whose files are those of one of its parents.
    tree = repository.git("rev-parse", f"{old}^{{tree}}")
    repository.git(
        "reset",
        "-q",
        "--hard",
        repository.git("commit-tree", tree, "-p", "HEAD", "-p", old, "-m", "m", by=EVE),
    )
    refuses(repository, "wrote a part", email=EVE)


def test_an_older_state_has_the_authors_of_its_whole_history(repository: Repository) -> None:
    repository.commit(EVE, words_txt="Good evening")
    repository.commit(ADA, words_txt="Good day")
    repository.accept(email=BOB)
    repository.git("reset", "-q", "--hard", "HEAD~1")
    refuses(repository, "wrote a part", email=EVE)


# -- accounts and addresses ------------------------------------------------------------------------------------------

GITHUB: dict[str, Any] = {"CI": "true", "GITHUB_ACTOR": "ada-l", "GITHUB_TRIGGERING_ACTOR": "ada-l"}


def test_an_account_is_compared_with_the_addresses_of_its_person(repository: Repository) -> None:
    said = refuses(repository, "unknown", "{name: ada-l, emails: [ADDRESS], logins: ['ada-l']}", **GITHUB)
    assert "ada@acme.example (commit " in said
    repository.rule("by: another\npeople: [{name: ada, emails: [ada@acme.example], logins: [Ada-L]}]")
    refuses(repository, "`ada-l` wrote a part", **GITHUB)
    repository.check(email=BOB)
    repository.check(GITHUB_ACTOR="bob-b")
    repository.rule("by: another\npeople: [{name: bob, emails: [bob@acme.example], logins: [bob-b]}]")
    assert repository.check(GITHUB_ACTOR="bob-b").identity == Identity("bob-b", Proof.CLAIMED)


def test_a_second_address_of_a_person_is_the_same_person(repository: Repository) -> None:
    repository.rule("by: another\npeople: [{name: ada, emails: [ada@acme.example, lovelace@home.example]}]")
    refuses(repository, "`Lovelace@Home.example` wrote a part", email="Lovelace@Home.example")


def test_a_mailmap_of_the_base_links_addresses(repository: Repository) -> None:
    repository.write(_mailmap="Ada <ada.lovelace@acme.example> <ada@acme.example>\n")
    repository.commit()
    refuses(repository, "wrote a part", email="ada.lovelace@acme.example")


@pytest.fixture
def at_github(tmp_path: Path) -> Repository:
    """All commits by addresses of GitHub's accounts."""
    repository = Repository(tmp_path / "project")
    repository.rule(ANOTHER, by="12+ada-l@users.noreply.github.com")
    repository.commit(
        "Ada-L@users.noreply.github.com",
        series_yaml=SERIES,
        template_yaml=TEMPLATE,
        words_txt="x",
        members_csv="phone\n",
    )
    return repository


def test_the_address_of_an_account_is_the_account(at_github: Repository) -> None:
    refuses(at_github, "`ada-l` wrote a part", **GITHUB)
    at_github.check(GITHUB_ACTOR="bob-b")
    refuses(at_github, "unknown", email=BOB)  # may be Ada's
    refuses(at_github, "unknown", GITLAB_USER_LOGIN="bob-b")  # an account of another forge


def test_programs_neither_accept_nor_hide_who_wrote(at_github: Repository) -> None:
    refuses(at_github, "account of a program", GITHUB_ACTOR="dependabot[bot]")
    at_github.commit("41898282+github-actions[bot]@users.noreply.github.com", words_txt="y")
    refuses(at_github, "is a program", "logins: ['github-actions[bot]']", GITHUB_ACTOR="bob-b")


# -- how many, and what git must show --------------------------------------------------------------------------------


def test_small_series_need_no_second_person(repository: Repository) -> None:
    repository.rule("by: another\nabove: 1000")
    repository.check(email=ADA, recipients=1000)
    refuses(repository, "wrote a part", email=ADA, recipients=1001)


def test_what_its_author_accepted_for_few_is_not_accepted_for_many(repository: Repository) -> None:
    repository.rule("by: another\nabove: 1000")
    repository.accept(email=ADA, recipients=1000)
    repository.commit(BOB, words_txt="Good day!")
    refuses(repository, "`ada@acme.example` wrote a part", email=ADA)
    repository.accept(email=EVE, fingerprint="s1:" + "1" * 64)
    repository.commit(BOB, words_txt="Good day!!")
    repository.check(email=ADA)


def test_what_git_does_not_show_is_refused(repository: Repository, tmp_path: Path) -> None:
    repository.write(words_txt="Send us your password")
    refuses(repository, "`words.txt` is not committed", "commit it", email=BOB)
    repository.git("update-index", "--assume-unchanged", "words.txt")
    refuses(repository, "`words.txt` is not committed", email=BOB)
    repository.git("update-index", "--no-assume-unchanged", "words.txt")
    repository.git("checkout", "-q", "words.txt")
    repository.write(late_yaml=TEMPLATE.replace("name: reminder", "name: late"))
    repository.commit(BOB, series_yaml=SERIES.replace("template: reminder", "template: late"))
    repository.git("rm", "-q", "--cached", "late.yaml")
    repository.git("commit", "-qm", "untracked")
    refuses(repository, "cannot be read", "commit all files", email=EVE)
    repository.write(late_yaml="")
    repository.git("reset", "-q", "--hard", "HEAD~2")
    repository.write(
        late_yaml=TEMPLATE.replace("'words.txt'", "'late.txt'").replace("name: reminder", "name: late")
    )
    repository.commit(BOB, series_yaml=SERIES.replace("template: reminder", "template: late"))
    repository.write(late_txt="Send us your password")
    refuses(repository, "`late.txt` is not committed", email=EVE)
    repository.git("clean", "-qfd")
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.root}", str(tmp_path / "shallow"))
    shallow = Repository(tmp_path / "shallow")
    refuses(shallow, "shallow", "git fetch --unshallow", email=BOB)
    shutil.rmtree(repository.root / ".git")
    refuses(repository, "needs git", "clone", email=BOB)


def test_a_project_can_be_a_folder_of_a_repository(repository: Repository, tmp_path: Path) -> None:
    outer = Repository(tmp_path / "outer")
    shutil.copytree(repository.root, outer.root / "alerts", ignore=shutil.ignore_patterns(".git"))
    outer.commit(ADA, _mailmap="Ada <lovelace@acme.example> <ada@acme.example>\n")
    outer.commit(EVE, words_txt="of another project")
    inner = Repository(outer.root / "alerts", new=False)
    for email in (ADA, "lovelace@acme.example"):
        refuses(inner, "wrote a part", email=email)
    inner.accept(email=EVE)
    inner.commit(BOB, words_txt="Good evening")
    inner.check(email=ADA)
    refuses(inner, "wrote a part", email=BOB)


def test_a_lost_commit_is_refused(repository: Repository) -> None:
    repository.accept(email=BOB)
    lost = repository.acceptances[0] = replace(repository.acceptances[0], revision="0123456789ab")
    refuses(repository, "0123456789ab", "not in this clone", "git fetch origin", email=BOB)
    # What was accepted in a changed working tree has the authors since its commit.
    head = repository.git("rev-parse", "HEAD")
    repository.acceptances[0] = replace(lost, revision=f"{head[:12]}+changes")
    repository.check(email=ADA)


def test_an_environment_that_points_git_elsewhere_is_ignored(repository: Repository, tmp_path: Path) -> None:
    other = Repository(tmp_path / "other")
    other.commit(BOB, notifyctl_yaml=(repository.root / "notifyctl.yaml").read_text())
    refuses(
        repository,
        "wrote a part",
        email=ADA,
        GIT_DIR=str(other.root / ".git"),
        GIT_WORK_TREE=str(repository.root),
        GIT_OBJECT_DIRECTORY=str(other.root / ".git" / "objects"),
    )


# -- the rule itself -------------------------------------------------------------------------------------------------

ADAS, BOBS, EVES = Key(), Key(), Key()
STRICT = f"""\
by: another
above: 1000
proven: true
people:
  - {{name: ada, emails: [ada@acme.example], keys: ["{ADAS.line}"]}}
  - {{name: bob, emails: [bob@acme.example], keys: ["{BOBS.line}"]}}
"""
LOOSER = {
    "by removed": STRICT.replace("by: another\n", "").replace("proven: true\n", ""),
    "by anyone": STRICT.replace("by: another\n", "by: anyone\n").replace("proven: true\n", ""),
    "above raised": STRICT.replace("1000", "1000000"),
    "proven dropped": STRICT.replace("proven: true\n", ""),
    "a key of its author's own": STRICT
    + f'  - {{name: zoe, emails: [zoe@acme.example], keys: ["{EVES.line}"]}}\n',
    "another's key is its author's": STRICT.replace(BOBS.line, EVES.line),
    "the author renamed": STRICT.replace("ada@acme.example", "lovelace@acme.example"),
    "the whole policy removed": "",
}


@pytest.fixture
def strict(repository: Repository) -> Repository:
    """A repository whose series Bob accepted, with a signature, under a rule that asks for it."""
    repository.rule(STRICT)
    given = replace(STATEMENT, fingerprint="s1:" + "0" * 64)
    repository.accept(signature=BOBS.sign(given))
    return repository


def test_proof_is_asked_for(strict: Repository) -> None:
    strict.commit(ADA, words_txt="Good evening")
    refuses(strict, "must prove", "--sign KEYFILE", email=BOB)
    refuses(strict, "must prove", email=BOB, GITHUB_ACTOR="bob", CI="true")
    refuses(strict, "`ada` wrote a part", signature=ADAS.sign())
    refuses(strict, "does not list", signature=EVES.sign())
    refuses(strict, "does not match", signature=BOBS.sign(replace(STATEMENT, max_recipients=1)))
    refuses(strict, "does not match", signature=BOBS.sign(replace(STATEMENT, earlier=1)))
    refuses(strict, "not an SSH signature", signature=b"bob")
    found = strict.check(signature=BOBS.sign()).identity
    assert (found.name, found.proof) == ("bob", Proof.SIGNATURE)
    assert found.detail.startswith("SHA256:")


@pytest.mark.parametrize("looser", LOOSER.values(), ids=LOOSER.keys())
def test_no_change_loosens_its_own_rule(strict: Repository, looser: str) -> None:
    strict.rule(looser)
    strict.commit(ADA, words_txt="Send us your password")
    for recipients in (2000, 10):  # below `above`, the change of the rule still needs another person
        statement = replace(STATEMENT, max_recipients=recipients)
        for key in (None, ADAS, EVES):
            signature = key.sign(statement) if key is not None else None
            refuses(strict, statement=statement, signature=signature, email=EVE)
    if looser != LOOSER["another's key is its author's"]:
        found = strict.check(signature=BOBS.sign())
        assert any("safety-loosened" in each.effects for each in found.changes)


def test_a_looser_rule_holds_once_it_was_accepted(strict: Repository) -> None:
    strict.rule("")
    strict.accept(
        signature=BOBS.sign(replace(STATEMENT, fingerprint="s1:" + "1" * 64)), fingerprint="s1:" + "1" * 64
    )
    strict.commit(ADA, words_txt="Good evening")
    strict.check(email=ADA)
    strict.acceptances.append(replace(strict.acceptances[-1], revoked=True))
    strict.check(email=ADA)  # revoking a series does not take back the rule that was accepted with it


def test_a_revocation_accepts_nothing(strict: Repository) -> None:
    """Its author revokes, after adding a key: the rule is still that of the acceptance."""
    head = strict.rule(LOOSER["another's key is its author's"])
    own = AcceptRule()
    strict.acceptances.append(replace(strict.acceptances[-1], revoked=True, revision=head, rule=own))
    refuses(strict, "does not list", signature=EVES.sign())


def test_a_stricter_rule_holds_at_once(repository: Repository) -> None:
    repository.rule("")
    repository.accept(email=ADA)
    repository.rule(ANOTHER)
    refuses(repository, "wrote a part", email=ADA)
    repository.check(email=BOB)
    repository.rule(STRICT)
    refuses(repository, "must prove", email=BOB)
    repository.check(signature=BOBS.sign())


def test_a_person_who_was_removed_cannot_accept(strict: Repository) -> None:
    strict.rule(STRICT.replace(f'  - {{name: bob, emails: [bob@acme.example], keys: ["{BOBS.line}"]}}\n', ""))
    refuses(strict, "does not list", signature=BOBS.sign())


def test_the_base_of_a_first_acceptance(repository: Repository) -> None:
    base = repository.rule(STRICT)
    repository.git("checkout", "-q", "-b", "change")
    repository.rule(STRICT.replace(BOBS.line, EVES.line))
    repository.git("update-ref", "refs/remotes/origin/main", base)
    repository.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    refuses(repository, "does not list", signature=EVES.sign())
    refuses(repository, "does not list", signature=EVES.sign(), base="main")
    with pytest.raises(UsageError, match="unknown commit"):
        repository.check(signature=EVES.sign(), base="nowhere")


def test_a_base_without_the_project_lists_no_one_and_a_broken_one_is_refused(repository: Repository) -> None:
    (repository.root / "notifyctl.yaml").rename(repository.root / "elsewhere.yaml")
    before = repository.commit()
    (repository.root / "elsewhere.yaml").rename(repository.root / "notifyctl.yaml")
    repository.commit()
    repository.check(email=BOB, base=before)
    broken = repository.commit(notifyctl_yaml="apiVersion: notifyctl/v1\nkind: Projekt\n")
    repository.git("revert", "--no-edit", "HEAD")
    refuses(repository, "cannot be read", "--base REV", email=BOB, base=broken)


def test_a_base_has_no_place_after_the_first_acceptance(strict: Repository) -> None:
    strict.rule(STRICT.replace(BOBS.line, EVES.line))
    with pytest.raises(UsageError, match="--base has no effect"):
        strict.check(signature=EVES.sign(), base="HEAD")


def test_without_a_rule_no_repository_is_needed(repository: Repository) -> None:
    repository.rule("")
    repository.accept(email=ADA)
    repository.write(words_txt="x")
    assert str(repository.check(email=ADA).revision).endswith("+changes")
    repository.acceptances.clear()
    shutil.rmtree(repository.root / ".git")
    assert repository.check(email=ADA).revision is None
