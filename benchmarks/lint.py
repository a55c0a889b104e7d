"""How fast `lint` is: on many template files against its peers, and on an audience of a million rows.

    python benchmarks/lint.py [--rounds 5] [--size small|full] [--files N] [--rows N] [--installation DIR] [--json FILE]

Makes its data in a temporary folder, measures whole processes and prints ratios; see README.md beside this file for
how to read them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from figures import Figure, arguments, between, interleaved, peak_memory, process, report, unjudged, worst
from installation import SCHEMA, Installation, installation
from projects import PROJECT_HEAD, small_template, template

MOST_FILES, MOST_ROWS = 10_000, 100_000_000
SIZES = {"small": (20, 2_000), "full": (1_000, 1_000_000)}
"""Files and rows."""
FEW_ROWS = 1000
"""The audience that the memory of the large one is compared with."""
KINDS: Mapping[str, Mapping[str, Callable[[int], str]]] = {
    "small": {"7 lines, one language": small_template},
    "long": {
        "58 lines, eight languages": template,
        "58 lines, no ASCII letter in its texts": partial(template, script="cyrillic"),
    },
}
"""What makes a file of its number, by kind and shape."""
WANTED = {"check-yaml": ">= 1.5", "check-jsonschema": ">= 2"}
AUDIENCE = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: "Hello $(name), the supply in $(area) is back."}}
audience: {source: {file: people.csv}}
"""
NAMES = ("Ada", "Grace", "Linus", "Margaret", "Edsger", "Barbara", "Donald")


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--files", type=between(1, MOST_FILES))
    parser.add_argument("--rows", type=between(1, MOST_ROWS))
    given = parser.parse_args()
    files, rows = (
        own or usual for own, usual in zip((given.files, given.rows), SIZES[given.size], strict=True)
    )
    with installation(given.installation) as tools, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        figures = []
        for kind, shapes in KINDS.items():
            figures += many(folder, tools, kind, shapes, files, given.rounds)
        figures.append(audience(folder, tools, rows))
    report(figures, given.json)


# -- Files against peers --------------------------------------------------------------------------------------------


def many(
    folder: Path,
    tools: Installation,
    kind: str,
    shapes: Mapping[str, Callable[[int], str]],
    files: int,
    rounds: int,
) -> Iterator[Figure]:
    medians: dict[str, Mapping[str, float]] = {}
    for number, (shape, make) in enumerate(shapes.items()):
        place = folder / f"{kind}-{number}"
        runs = linters(place, tools, write_templates(place, files, make))
        medians[shape] = interleaved(rounds, runs)
        print(
            f"{files:,} files of {shape}: "
            + ", ".join(f"{name} {each:.2f} s" for name, each in medians[shape].items())
        )
    for peer, wanted in WANTED.items():
        yield worst(
            f"Lint of {files:,} {kind} files, against {peer}",
            {shape: each[peer] / each["notifyctl"] for shape, each in medians.items()},
            wanted,
            details={
                shape: f"{peer} {each[peer]:.2f} s, notifyctl {each['notifyctl']:.2f} s"
                for shape, each in medians.items()
            },
        )


def write_templates(folder: Path, count: int, make: Callable[[int], str]) -> list[Path]:
    folder.mkdir()
    (folder / "notifyctl.yaml").write_text(PROJECT_HEAD, encoding="utf-8")
    paths = [folder / f"outage-{number}.yaml" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_text(make(number), encoding="utf-8")
    return paths


def linters(folder: Path, tools: Installation, files: Sequence[Path]) -> dict[str, Callable[[], None]]:
    """Ours reads the whole project, the peers the files alone, each in one process for all of them."""
    return {
        "notifyctl": process(tools.command("notifyctl"), "-C", folder, "lint"),
        "yamllint": process(tools.command("yamllint"), "-d", "relaxed", *files),
        "check-jsonschema": process(tools.command("check-jsonschema"), "--schemafile", SCHEMA, *files),
        "check-yaml": process(tools.command("check-yaml"), *files),
    }


# -- Audiences ------------------------------------------------------------------------------------------------------


def audience(folder: Path, tools: Installation, rows: int) -> Figure:
    """Lint of one large audience, once, and how much more memory it takes than a small one."""
    measured = {}
    for size in (min(FEW_ROWS, rows), rows):
        root = write_audience(folder / f"rows-{size}-{len(measured)}", size)
        measured[size] = peak_memory([tools.command("notifyctl"), "-C", str(root), "lint"])
    seconds, peak = measured[rows]
    more = (peak - measured[min(FEW_ROWS, rows)][1]) / 2**20
    detail = f"{more:.0f} MiB more than {min(FEW_ROWS, rows):,}"
    return unjudged(f"Lint of {rows:,} people", seconds, unit="s", detail=detail)


def write_audience(folder: Path, rows: int) -> Path:
    """Numbers of no country, because so many are not set aside for examples; they are only read."""
    folder.mkdir()
    (folder / "notifyctl.yaml").write_text(PROJECT_HEAD, encoding="utf-8")
    (folder / "hello.yaml").write_text(AUDIENCE, encoding="utf-8")
    with (folder / "people.csv").open("w", encoding="utf-8") as stream:
        stream.write("msisdn,name,area\n")
        for number in range(rows):
            stream.write(f"+446{number:09},{NAMES[number % len(NAMES)]},Area {number % 1000}\n")
    return folder


if __name__ == "__main__":
    main()
