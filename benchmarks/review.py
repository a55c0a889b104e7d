"""What a comparison with a commit costs: `plan --base` beside `plan`, interleaved, medians, as a ratio within one run.

python benchmarks/review.py [--notifications 500] [--rounds 3]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from installation import Installation, installation

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: bench\n"
NOTIFICATION = """\
apiVersion: notifyctl/v1
kind: Notification
name: n{n}
template: {{channel: sms, content: {{type: text, text: "{word} $(name), this is number {n}."}}}}
audience: {{source: {{file: people.csv}}}}
"""


def make(folder: Path, count: int) -> None:
    """A repository whose branch changes every text of its base."""
    git = ["git", "-C", str(folder), "-c", "user.name=bench", "-c", "user.email=bench@acme.example"]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    (folder / "notifyctl.yaml").write_text(PROJECT)
    rows = "".join(f"+447700900{n:03},P{n}\n" for n in range(200))
    (folder / "people.csv").write_text("msisdn,name\n" + rows)
    for word in ("Hello", "Goodbye"):
        for n in range(count):
            (folder / f"n{n}.yaml").write_text(NOTIFICATION.format(n=n, word=word))
        if word == "Hello":
            subprocess.run([*git, "add", "-A"], check=True)
            subprocess.run([*git, "commit", "-q", "-m", "base"], check=True)


def seconds(tools: Installation, folder: Path, *arguments: str) -> float:
    command = [tools.command("notifyctl"), "-C", str(folder), "plan", "--offline", "--format", "json"]
    begun = time.perf_counter()
    subprocess.run([*command, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--notifications", type=int, default=500)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--installation", type=Path, metavar="DIR")
    wish = options.parse_args()
    with installation(wish.installation) as tools, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, wish.notifications)
        pairs = [
            (seconds(tools, folder), seconds(tools, folder, "--base", "main")) for _ in range(wish.rounds)
        ]
    alone, compared = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(f"{wish.notifications} notifications, all changed, 200 people each; medians of {wish.rounds}")
    print(f"plan               {alone:6.2f} s   1.00")
    print(f"plan --base        {compared:6.2f} s   {compared / alone:.2f}   (at most 3)")


if __name__ == "__main__":
    main()
