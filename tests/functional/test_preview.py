"""The gallery: complete in itself, sound for a reader of any kind, and nothing in a message can run or reach out."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.channels.segments import BASIC, EXTENSION, segment, segment_starts
from notifyctl.views.html.markup import el
from tests import requirements
from tests.functional.test_calendar import AS_OF
from tests.functional.test_calendar import DOCUMENTS as WITH_TIMES

Look = Callable[[Path | str], Any]
PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: acme\n"
SMS = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {recipients: [{msisdn: "+447700900123", substitutions: {name: Ada}}]}
"""


def preview(cli: Any, *arguments: str) -> str:
    result = cli("preview", "--out", "-", *arguments)
    assert result.code == 0, result.err
    return str(result.out)


@pytest.fixture
def hello(cli: Any) -> Any:
    cli.write(notifyctl=PROJECT, hello=SMS)
    return cli


def test_the_page_is_complete_in_itself(hello: Any) -> None:
    text = preview(hello)
    assert "Hello Ada" in text
    assert "<b>1 segment</b> 9 characters, GSM-7" in text
    assert "7700900123" not in text
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", text)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert "default-src &#x27;none&#x27;" in policy[1]
    assert "connect-src &#x27;none&#x27;" in policy[1]


def test_it_is_the_same_each_time(hello: Any) -> None:
    assert preview(hello) == preview(hello)


def commit(cli: Any) -> None:
    git = ["git", "-C", str(cli.root), "-c", "user.name=ada", "-c", "user.email=ada@acme.example"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *arguments], check=True)


def test_it_shows_before_and_after_with_changed_words_marked(hello: Any) -> None:
    commit(hello)
    hello.write(hello=SMS.replace("Hello", "Goodbye"))
    text = preview(hello, "--base", "main")
    assert "<del>Hello</del> Ada" in text
    assert "<ins>Goodbye</ins> Ada" in text
    assert "Text changed" in text
    assert '<figcaption class="side">Before</figcaption>' in text


def test_an_example_is_the_same_recipient_before_and_after(cli: Any) -> None:
    """Emails are masked to little, and the first row is another one after: only the words of the text differ."""
    cli.write(
        notifyctl=PROJECT,
        note="apiVersion: notifyctl/v1\nkind: Notification\nname: note\naudience: {recipients: [{email: ada@reader.example,"
        " substitutions: {name: Ada}}, {email: alan@reader.example, substitutions: {name: Alan}}]}\n"
        "template: {channel: email, content: {type: text, subject: s, text: 'Hi $(name), $(when)'}}\nsubstitutions: {when: today}\n",
    )
    commit(cli)
    path = next(cli.root.rglob("note.yaml"))
    text = path.read_text()
    rows = "{email: ada@reader.example, substitutions: {name: Ada}}, "
    path.write_text(text.replace(rows, "").replace("Hi ", "Dear ").replace("when: today", "when: tomorrow"))
    page = preview(cli, "--base", "main")
    assert "<del>Hi</del> Alan, <del>today</del>" in page
    assert "<ins>Dear</ins> Alan, <ins>tomorrow</ins>" in page


def test_what_did_not_change_is_folded(hello: Any) -> None:
    hello.write(other=SMS.replace("name: hello", "name: other"))
    commit(hello)
    hello.write(hello=SMS.replace("Hello", "Goodbye"))
    changed, unchanged = re.findall(
        r'<section class="note".*?</section>', preview(hello, "--base", "main"), re.DOTALL
    )
    assert 'id="hello"' in changed
    assert changed.count("<summary>") == changed.count("<summary><b>Changed texts in the files</b>") == 1
    assert 'id="other"' in unchanged
    assert re.search(r"<summary><b>English: unchanged</b>", unchanged)
    assert "<ins>" not in unchanged


def test_a_setting_that_differs_stands_before_and_after(hello: Any) -> None:
    commit(hello)
    hello.write(hello=SMS + "priority: 2\n")
    text = preview(hello, "--base", "main")
    assert re.search(
        r'<th scope="row">priority<small>delivery changed</small></th><td><span class="unset">not set</span></td><td><ins>2</ins>',
        text,
    )


def test_errors_and_unknown_names_are_told(hello: Any) -> None:
    assert hello("preview", "--out", "-", "hullo").code == 64
    hello.write(hello="kind: Notification\n")
    assert hello("preview", "--out", "-").code == 1


@given(st.text(max_size=40))
def test_no_text_becomes_markup(text: str) -> None:
    made = el("p", text, title=text)
    inside = made.removeprefix("<p ").removesuffix("</p>")
    assert "<" not in inside
    value, _, _ = inside.removeprefix('title="').partition('">')
    assert '"' not in value


@given(st.text(st.sampled_from(BASIC + EXTENSION + "😀中ç"), max_size=400))
def test_the_marks_stand_where_segments_begin(text: str) -> None:
    places = segment_starts(text)
    assert len(places) == max(segment(text).segments - 1, 0)
    for start, end in zip([0, *places], [*places, len(text)], strict=True):
        part = text[start:end]
        assert not part or segment(text).encoding != "GSM-7" or segment(part).units <= 160


def test_serve_makes_it_anew_when_a_file_changes(hello: Any) -> None:
    command = [sys.executable, "-m", "notifyctl", "-C", str(hello.root), "preview", "--serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            where = re.search(r"http://127\.0\.0\.1:\d+", server.stderr.readline())
            assert where is not None
            assert "Hello Ada" in fetched(where[0])
            known = fetched(where[0] + "/version")
            hello.write(hello=SMS.replace("Hello", "Goodbye"))
            assert fetched(where[0] + "/version") != known
            assert "Goodbye Ada" in fetched(where[0])
            hello.write(hello="kind: Notification\n")
            assert "has errors" in fetched(where[0])
        finally:
            server.terminate()
            server.communicate(timeout=20)


def test_the_sandbox_shows_its_inbox_with_the_same_components(hello: Any) -> None:
    assert hello("apply").code == 0
    command = [sys.executable, "-m", "notifyctl", "-C", str(hello.root), "sandbox", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            where = re.search(r"http://127\.0\.0\.1:\d+", server.stderr.readline())
            assert where is not None
            text = fetched(where[0] + "/inbox")
            assert "Hello Ada" in text
            assert "7700900123" not in text
            assert "hello</h2>" in text  # the ledger on this machine knows of which notification it is
            assert "Run 1 · " in text
            assert re.search(r"<time datetime=[^>]*>\d\d:\d\d:\d\d</time>", text)
            known = fetched(where[0] + "/version")
            hello.write(hello=SMS.replace("Hello", "Goodbye") + "edition: 2\n")
            assert hello("apply").code == 0
            assert fetched(where[0] + "/version") != known
        finally:
            server.terminate()
            server.communicate(timeout=20)


@contextmanager
def served(cli: Any, *arguments: str) -> Iterator[str]:
    """The address of a server of ours, while it runs."""
    command = [sys.executable, "-m", "notifyctl", "-C", str(cli.root), *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            where = re.search(r"http://127\.0\.0\.1:\d+", server.stderr.readline())
            assert where is not None
            yield where[0]
        finally:
            server.terminate()
            server.communicate(timeout=20)


def fetched(url: str) -> str:
    """What a server answers, which may still be starting."""
    until = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                text: str = answer.read().decode()
        except URLError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return text


class Seen(HTMLParser):
    """What a page shows: its text, and the mails in its frames; not titles, addresses or data of elements."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.unread += tag in {"script", "style"}
        self.text += [value or "" for name, value in attrs if name == "srcdoc"]

    def handle_endtag(self, tag: str) -> None:
        self.unread -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self.unread:
            self.text.append(data)


BUTTONS = (
    "{type: openUrl, displayText: %-label, url: 'https://www.acme.example/%-page', postbackData: %-back}, "
    "{type: reply, displayText: %-reply, postbackData: %-replied}, "
    "{type: dialPhone, displayText: %-dial, phone: '+4420794600'}, "
    "{type: calendarEvent, displayText: %-day, startTime: '2029-01-08T09:00:00Z', endTime: '2029-01-08T13:00:00Z', meetingTitle: %-meeting, meetingDescription: %-about}, "
    "{type: viewLocation, displayText: %-place, address: %-address, label: %-pin}"
)
CARDS = "{title: %-title, description: %-words, media: {url: 'https://static.acme.example/%-file.png', height: TALL}, suggestions: [%s]}"
MESSAGES = {
    "sms": "{channel: sms, content: {type: text, text: canary-text}}",
    "mail": "{channel: email, content: {type: html, subject: canary-subject, replyTo: canary-reply@acme.example,"
    " text: canary-alternative, html: '<p>canary-html</p><img alt=canary-alt src=https://static.acme.example/p.png><a href=https://www.acme.example/canary-link>x</a>',"
    " attachments: [{name: canary-name.pdf, mimeType: application/canary-kind, mediaUrl: 'https://static.acme.example/canary-pdf'}]},"
    " options: {fromName: canary-from, trackClicks: true}}",
    "card": "{channel: rcs, content: {type: standalone, richCard: "
    + CARDS.replace("%s", BUTTONS.rsplit(", {type: viewLocation", 1)[0]).replace("%", "canary-card")
    + ", suggestions: ["
    + BUTTONS.replace("%", "canary-below")
    + "]}, options: {smsFallback: true, smsSenderId: CANARY, text: canary-fallback}}",
    "off": "{channel: rcs, content: {type: text, text: canary-on}, options: {smsFallback: false, smsSenderId: CANARYOFF, text: canary-off}}",
    "media": "{channel: rcs, content: {type: media, mediaContentUrl: 'https://static.acme.example/canary-media.mp4'}}",
}


@pytest.mark.parametrize("name", MESSAGES)
def test_every_field_of_a_message_is_shown(cli: Any, name: str) -> None:
    address = "email: ada@reader.example" if name == "mail" else 'msisdn: "+447700900123"'
    copies = "bcc: [canary-copy@acme.example]\n" if name == "mail" else ""
    # What lint would refuse of a made-up message does not matter here.
    cli.write(notifyctl=PROJECT)
    cli.write(
        note=f"apiVersion: notifyctl/v1\nkind: Notification\nname: note\n{copies}"
        f"audience: {{recipients: [{{{address}}}]}}\ntemplate: {MESSAGES[name]}\n"
    )
    wanted = set(re.findall(r"canary[\w-]*|CANARY\w*", MESSAGES[name] + copies))
    assert wanted
    for arguments in ((), ("--base", "main")):
        seen = Seen()
        seen.feed(preview(cli, *arguments))
        shown = " ".join(seen.text)
        assert {each for each in wanted if each not in shown} == set()
        if not arguments:
            commit(cli)


def test_a_notification_that_is_not_due_is_shown_with_its_next_occurrence(cli: Any) -> None:
    cli.write(
        notifyctl=PROJECT,
        yearly=SMS.replace("name: hello", "name: yearly") + "schedule: eve\n",
        eve="apiVersion: notifyctl/v1\nkind: Schedule\nname: eve\ncron: 0 9 29 2 *\ntimezone: Europe/Paris\n",
    )
    text = preview(cli)
    assert text.count('<section class="note"') == 1
    assert "Hello Ada" in text
    assert "nothing due now; next: Tue 29 Feb 2028 09:00 Europe/Paris (08:00 UTC)" in text
    assert "Nothing due now</li>" in text
    assert "next occurrence, not in this plan" in text


def test_receipts_are_words(hello: Any) -> None:
    received: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.path)
            self.send_response(200 if self.path == "/taken" else 404)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        for name in ("taken", "refused"):
            url = f"http://127.0.0.1:{server.server_port}/{name}"
            hello.write(**{name: SMS.replace("name: hello", f"name: {name}") + f"notifyUrl: {url}\n"})
        assert hello("apply").code == 0
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert set(received) == {"/taken", "/refused"}
    with served(hello, "sandbox", "serve", "--port", "0") as where:
        text = fetched(where + "/inbox")
    states = re.findall(r'data-status="([^"]*)"[^>]*data-notification="([^"]*)"', text)
    assert sorted(states) == [
        ("accepted", "hello"),
        ("delivered", "taken"),
        ("receipt-not-accepted", "refused"),
    ]
    assert "not accepted by notifyUrl" in text


def test_a_page_has_a_bound(cli: Any) -> None:
    cli.write(notifyctl=PROJECT)
    for number in range(260):
        cli.write(**{f"n{number}": SMS.replace("name: hello", f"name: n{number:03}")})
    text = preview(cli)
    assert text.count('<section class="note"') == 250
    assert "10 more notifications" in text
    assert "n259" in text


def test_mails_beyond_the_bound_are_named_and_not_drawn() -> None:
    from notifyctl.channels.parts import Carried
    from notifyctl.model.project import ChannelName
    from notifyctl.views.html.preview_model import PreviewPage, Section, Variant
    from notifyctl.views.html.preview_page import MAIL_BYTES, preview_page

    markup = f"<p>Hello</p><!--{'x' * 300_000}-->"
    carried = Carried(
        ChannelName.EMAIL, "a@acme.example", {"type": "html", "subject": "Hello", "html": markup}
    )
    sections = tuple(
        Section(f"n{number}", f"n{number}", ChannelName.EMAIL, variants=(Variant(None, 1, carried=carried),))
        for number in range(25)
    )
    page = PreviewPage("acme", "sandbox", "Title", sections=sections)
    text = preview_page(page, default_locale="en")
    assert text.count("<iframe") == 2 * (MAIL_BYTES // (2 * len(markup)))
    assert len(text) < MAIL_BYTES + 1_000_000
    assert "notifyctl preview n24" in text


# In a real browser


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Look:
    node, chromium = requirements.program("node"), requirements.program("chromium")
    place = tmp_path_factory.mktemp("browser")
    requirements.npm_packages(place, "page.js")

    def looked(page: Path | str) -> Any:
        address = page.as_uri() if isinstance(page, Path) else page
        command = [node, "page.js", chromium, address]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return looked


@pytest.fixture
def trap() -> Iterator[tuple[str, list[str]]]:
    """A server that should never be asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        def process_request(self, request: Any, client_address: Any) -> None:
            asked.append("a connection")
            super().process_request(request, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


ROOT = Path(__file__).parents[2]


def copy_example(cli: Any, *folders: str) -> None:
    for folder in folders:
        shutil.copytree(
            ROOT / folder, cli.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".notifyctl")
        )


def assert_sound(said: Any, *, notes: int) -> None:
    """No finding of axe-core at three widths in light, folded and open, at two filtered to nothing and in dark; nothing is fetched or
    cut off; search, filters, theme and links work.
    """
    assert said["checks"] == 10
    assert (said["violations"], said["wide"]) == ([], [])
    assert (said["requests"], said["errors"], said["styles"]) == ([], [], [])
    assert said["notes"] == notes
    assert said["found"] == said["cleared"] == f"All {notes} shown"
    assert (said["filtered"], said["nothing"]) == (f"0 of {notes} shown", True)
    assert said["address"] == "?q=zzz-nowhere"
    assert (said["focus"], said["shaded"]) == ("q", True)
    assert [frame for frame in said["frames"] if frame["shown"] and frame["clip"] != 0] == []


def test_the_worked_example_is_sound_in_a_browser(cli: Any, look: Look, tmp_path: Path) -> None:
    copy_example(cli, "notifications")
    page = tmp_path / "page.html"
    page.write_text(preview(cli))
    said = look(page)
    assert_sound(said, notes=4)
    assert said["channel"]["count"] == said["channel"]["shown"]
    assert said["links"] == [True] * 4


def test_a_calendar_is_sound_in_a_browser(cli: Any, look: Look, tmp_path: Path) -> None:
    cli.write(notifyctl=WITH_TIMES)
    page = tmp_path / "page.html"
    assert cli("calendar", "--format", "html", "--days", "3", "--as-of", AS_OF, "--out", str(page)).code == 0
    said = look(page)
    assert_sound(said, notes=3)
    assert said["links"] == [True] * 3
    assert said["channel"]["count"] == said["channel"]["shown"]


def test_a_change_of_the_example_is_sound_in_a_browser(cli: Any, look: Look, tmp_path: Path) -> None:
    copy_example(cli, "notifications", "docs/preview-example/before")
    commit(cli)
    copy_example(cli, "docs/preview-example/after")
    page = tmp_path / "page.html"
    page.write_text(preview(cli, "--base", "main"))
    said = look(page)
    assert_sound(said, notes=7)
    # A layout that is wider than a phone keeps its width, and is scaled; the other is as wide as a phone.
    assert {frame["width"] for frame in said["frames"]} == {375, 608, 640}


def test_long_and_foreign_messages_are_sound_in_a_browser(cli: Any, look: Look, tmp_path: Path) -> None:
    head = {"apiVersion": "notifyctl/v1", "kind": "Notification"}
    people = [
        {"msisdn": f"+4477009001{at:02}", "locale": tag} for at, tag in enumerate(("en", "ar", "ja", "pt-BR"))
    ]
    long = "🎉 You won, and " + "this goes on with 😀😃😄, " * 20 + "https://www.acme.example/" + "path" * 40
    markup = (
        "<!doctype html><html><head><STYLE TYPE='text/css'>\r\n.wide { width: 900px }\r\n</STYLE ></head><body>"
        "<table class=wide><tr><td>wide</td></tr></table><img src='https://static.acme.example/p.jpg' width=600 height=300 alt=Hero>"
        + "<p>Words that fill a paragraph.</p>" * 200
        + "<a href='$(unsubscribe)'>Unsubscribe</a></body></html>"
    )
    cards = [
        {
            "title": f"Card {number} with a title that wraps",
            "description": "Some words. " * number,
            "media": {"height": "TALL", "url": f"https://static.acme.example/{'x' * 60}-{number}.png"},
            "suggestions": [
                {
                    "type": "openUrl",
                    "displayText": "Open",
                    "url": f"https://a.example/?{'z' * 90}",
                    "postbackData": "p",
                }
            ],
        }
        for number in range(1, 11)
    ]
    texts = {
        "ar": {"type": "unicode", "text": "مرحبا، سيتم قطع التيار الكهربائي غدا من الساعة 09:00 حتى 13:00"},
        "ja": {
            "type": "unicode",
            "text": "明日午前9時から午後1時まで停電します。ご迷惑をおかけして申し訳ございません。",
        },
        "pt-BR": {"type": "text", "text": "Amanha sem energia."},
    }
    sender = "notifications-and-announcements@messaging.subsidiary.acme.example"
    definitions: dict[str, dict[str, Any]] = {
        "a-name-that-is-as-long-as-a-name-of-a-notification-can-ever-be": {
            "limits": {"maxSegments": 100},
            "audience": {"recipients": people},
            "template": {
                "channel": "sms",
                "content": {"type": "unicode", "text": long},
                "locales": {tag: {"content": content} for tag, content in texts.items()},
            },
        },
        "carousel": {
            "audience": {"recipients": people[:1]},
            "template": {"channel": "rcs", "content": {"type": "carousel", "width": "SMALL", "cards": cards}},
        },
        "mail": {
            "from": sender,
            "audience": {"recipients": [{"email": "ada@reader.example"}]},
            "template": {
                "channel": "email",
                "content": {"type": "html", "subject": "Subject " * 20, "html": markup},
            },
        },
        "plain": {
            "from": sender,
            "audience": {"recipients": [{"email": "ada@reader.example"}]},
            "template": {
                "channel": "email",
                "content": {"type": "text", "subject": "Plain", "text": "A long line " * 40},
            },
        },
    }
    cli.write(notifyctl=PROJECT)
    for number, (name, definition) in enumerate(definitions.items()):
        cli.write(**{f"n{number}": json.dumps(head | {"name": name} | definition, ensure_ascii=False)})
    page = tmp_path / "page.html"
    page.write_text(preview(cli))
    said = look(page)
    assert_sound(said, notes=4)
    # The styles of the mail apply: its table makes the layout as wide on a phone.
    assert {frame["width"] for frame in said["frames"]} == {908}


def test_the_inbox_is_sound_in_a_browser(cli: Any, look: Look) -> None:
    copy_example(cli, "notifications", "docs/preview-example/before", "docs/preview-example/after")
    cli.write(
        wardens="apiVersion: notifyctl/v1\nkind: Audience\nname: ec1m-by-mail\nrecipients:\n  - {email: ada@mail.example, substitutions: {name: Ada, area: EC1M 4BH}}\n"
    )
    (cli.root / "audiences/ec1m-by-mail.yaml").unlink()
    assert (
        cli(
            "apply", "--only", "ec1m-outage-rcs", "--only", "ec1m-outage-email", "--only", "monthly-statement"
        ).code
        == 0
    )
    with served(cli, "sandbox", "serve", "--port", "0") as where:
        said = look(where + "/inbox")
    assert_sound(said, notes=8)
    assert said["heading"] == "8 messages"
    assert said["channel"]["count"] == said["channel"]["shown"]


def test_new_messages_wait_behind_a_button(hello: Any, tmp_path: Path) -> None:
    node, chromium = requirements.program("node"), requirements.program("chromium")
    requirements.npm_packages(tmp_path, "inbox.js")
    assert hello("apply").code == 0
    with served(hello, "sandbox", "serve", "--port", "0") as where:
        command = [node, "inbox.js", chromium, where + "/inbox"]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as browser:
            assert browser.stdout is not None
            assert browser.stdout.readline() == "open\n"
            hello.write(hello=SMS.replace("Hello", "Goodbye") + "edition: 2\n")
            assert hello("apply").code == 0
            said = json.loads(browser.communicate(timeout=120)[0])
    assert said == {
        "errors": [],
        "before": 1,
        "offer": "Show 1 new message",
        "waiting": 1,
        "after": 2,
        "heading": "2 messages",
        "found": "All 2 shown",
        "same": True,
        "chosen": 1,
    }


def test_hostile_messages_neither_run_nor_reach_out(
    cli: Any, look: Look, tmp_path: Path, trap: tuple[str, list[str]]
) -> None:
    url, asked = trap
    markup = (
        f"<script>top.document.title='taken'; fetch('{url}/script')</script>"
        f"<img src='{url}/image' onerror=\"top.document.title='taken'; fetch('{url}/error')\">"
        f"<style>@import '{url}/style'; body {{ background: url({url}/back) }}</style>"
        f"<link rel=preconnect href='{url}'><link rel=dns-prefetch href='{url}'><link rel=stylesheet href='{url}/link'><iframe src='{url}/frame'></iframe><object data='{url}/object'></object>"
        f"<meta http-equiv=refresh content='0;url={url}/refresh'><form action='{url}/form'><button autofocus>x</button></form>"
        f"<svg onload=\"fetch('{url}/svg')\"></svg><video src='{url}/video' autoplay></video><base href='{url}/'>"
        "</iframe></main><script>document.title='taken'</script>"
    )
    text = f"</p><script>document.title='taken';fetch('{url}/sms')</script><img src={url}/sms-image>"
    cli.write(
        # Lint would refuse such a mail; the page must not rely on it.
        notifyctl=PROJECT + "lint: {active-markup: off}\n",
        mail=f"apiVersion: notifyctl/v1\nkind: Notification\nname: mail\n"
        "audience: {recipients: [{email: ada@reader.example}]}\n"
        f"template: {{channel: email, content: {{type: html, subject: {json.dumps(text)}, html: {json.dumps(markup)}}}}}\n",
        sms=SMS.replace("Hello $(name)", json.dumps(text)).replace("name: hello", "name: sms"),
        card="apiVersion: notifyctl/v1\nkind: Notification\nname: card\n"
        'audience: {recipients: [{msisdn: "+447700900123"}]}\n'
        f"template: {{channel: rcs, content: {{type: standalone, richCard: {{title: {json.dumps(text)},"
        f" media: {{url: '{url}/media.png', height: TALL}}}}}}}}\n",
    )
    page = tmp_path / "page.html"
    page.write_text(preview(cli))
    said = look(page)
    assert (asked, said["requests"], said["errors"]) == ([], [], [])
    assert said["title"] == "acme: messages"
    assert said["notes"] == 3


def test_what_opens_a_connection_is_left_out_of_a_mail() -> None:
    from notifyctl.views.html.mail_frame import srcdoc

    made = srcdoc(
        "<LINK rel=preconnect href=//evil.example><iframe src=//evil.example></iframe><meta http-equiv=refresh>"
    )
    assert "<LINK" not in made
    assert "<iframe" not in made
    assert "<meta http-equiv=refresh" not in made


def test_a_masked_number_costs_what_it_costs_unmasked() -> None:
    from notifyctl.views.html.bubble import SmsText, size_list
    from notifyctl.views.html.changed_words import Run

    shown = SmsText([Run("Hello +44••••••0123", changed=False)])
    assert "19 characters, GSM-7" in str(size_list(shown))
