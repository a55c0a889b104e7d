"""How fast `lint` is: on many template files against its peers, and on an audience of a million rows.

    python benchmarks/lint.py [--rounds 5] [--size small|full] [--files 1000] [--rows 1000000] [--json FILE]

Makes its data in a temporary folder, measures whole processes and prints ratios; see README.md beside this file for
how to read them.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from figures import Figure, arguments, between, interleaved, judged, peak_memory, process, report
from startup import PROJECT, SCHEMA, executable

MOST_FILES, MOST_ROWS = 10_000, 100_000_000
SIZES = {"small": (20, 2_000), "full": (1_000, 1_000_000)}
"""Files and rows."""
FEW_ROWS = 1000
"""The audience that the memory of the large one is compared with."""

OURS = "notifyctl lint"
MIB = 1 << 20
TEMPLATE = """\
apiVersion: notifyctl/v1
kind: Template
name: outage-{number}
description: Tells customers of area {number} that their supply is interrupted.
channel: sms
category: transactional
variables:
  name:
    example: Ada
    maxLength: 40
  area:
    example: EC1M
    maxLength: 12
  hours:
    default: "4"
content:
  type: text
  text: >-
    Hello $(name), the supply in $(area) is interrupted. We expect it back in $(hours) hours.
    Reference {number}. {{{{ brand }}}}
options:
  shortenLinks: false
locales:
"""
LOCALE = """\
  {locale}:
    content:
      text: >-
        {hello} $(name), $(area): {interrupted}
        $(hours) h. {number}. {{{{ brand }}}}
"""
LOCALES = {
    "de": ("Hallo", "die Versorgung ist unterbrochen, voraussichtlich"),
    "es": ("Hola", "el suministro se ha interrumpido, previsto"),
    "fr": ("Bonjour", "l'alimentation est interrompue, environ"),
    "it": ("Salve", "la fornitura \u00e8 interrotta, circa"),
    "nl": ("Hallo", "de levering is onderbroken, ongeveer"),
    "pl": ("Witaj", "dostawa jest przerwana, oko\u0142o"),
    "pt": ("Bom dia", "o fornecimento foi interrompido, cerca de"),
}
"""Seven translations, so that a file has sixty lines, as templates in use have."""
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
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "many").mkdir()
        runs = peers(folder / "many", write_templates(folder / "many", files))
        medians = interleaved(given.rounds, {name: process(*words) for name, words in runs.items()})
        _, peak = peak_memory(runs[OURS])
        print(table(f"{files:,} template files", medians))
        print(f"{OURS} held {peak / MIB:.0f} MiB at most\n")
        print(audiences(folder, sorted({min(FEW_ROWS, rows), rows}), given.rounds))
    report(figures(medians, peak, files), given.json)


def figures(medians: Mapping[str, float], peak: int, files: int) -> list[Figure]:
    def against(peer: str) -> Figure:
        detail = f"{peer} {medians[peer]:.2f} s, ours {medians[OURS]:.2f} s, whole processes"
        return judged(
            f"Lint of {files:,} files, against {peer}", medians[peer] / medians[OURS], ">= 8", detail=detail
        )

    held = judged(
        f"Lint of {files:,} files, peak memory", peak / MIB, "<= 60", unit="MiB", detail="ru_maxrss"
    )
    return [against("check-jsonschema"), against("check-yaml"), held]


# -- Files against peers --------------------------------------------------------------------------------------------


def write_templates(folder: Path, count: int) -> list[Path]:
    project = PROJECT + "vars: {brand: Acme Power}\nlint: {unused-template: 'off', needs-unicode: 'off'}\n"
    (folder / "notifyctl.yaml").write_text(project, encoding="utf-8")
    paths = [folder / f"outage-{number}.yaml" for number in range(count)]
    for number, path in enumerate(paths):
        variants = (
            LOCALE.format(locale=locale, hello=hello, interrupted=interrupted, number=number)
            for locale, (hello, interrupted) in LOCALES.items()
        )
        path.write_text(TEMPLATE.format(number=number) + "".join(variants), encoding="utf-8")
    return paths


def peers(folder: Path, files: Sequence[Path]) -> dict[str, Sequence[str]]:
    """Ours reads the whole project, the peers the files alone, each in one process for all of them."""
    names = [str(file) for file in files]
    return {
        OURS: [executable("notifyctl"), "-C", str(folder), "lint"],
        "yamllint": [executable("yamllint"), "-d", "relaxed", *names],
        "check-jsonschema": [executable("check-jsonschema"), "--schemafile", str(SCHEMA), *names],
        "check-yaml": [executable("check-yaml"), *names],
    }


def table(title: str, medians: Mapping[str, float]) -> str:
    lines = [f"{title:<28}{'s':>10}{'x notifyctl':>13}"]
    for name, median in medians.items():
        lines.append(f"{name:<28}{median:>10.2f}{median / medians[OURS]:>13.2f}")
    return "\n".join(lines)


# -- Audiences ------------------------------------------------------------------------------------------------------


def audiences(folder: Path, sizes: Sequence[int], rounds: int) -> str:
    projects = {size: write_audience(folder / f"rows-{size}", size) for size in sizes}
    runs: dict[int, list[tuple[float, int]]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size, project in projects.items():
            runs[size].append(peak_memory([executable("notifyctl"), "-C", str(project), "lint"]))
    least = statistics.median(peak for _, peak in runs[sizes[0]])
    lines = [f"{'audience':<28}{'s':>10}{'rows/s':>10}{'peak MB':>10}{'MB more':>10}"]
    for size, taken in runs.items():
        seconds = statistics.median(second for second, _ in taken)
        peak = statistics.median(peak for _, peak in taken)
        named = f"{size:,} rows"
        more = (peak - least) / 1e6
        lines.append(f"{named:<28}{seconds:>10.2f}{size / seconds:>10.0f}{peak / 1e6:>10.0f}{more:>10.0f}")
    return "\n".join(lines)


def write_audience(folder: Path, rows: int) -> Path:
    """Numbers of no country, because so many are not set aside for examples; they are only read."""
    folder.mkdir()
    (folder / "notifyctl.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "hello.yaml").write_text(AUDIENCE, encoding="utf-8")
    with (folder / "people.csv").open("w", encoding="utf-8") as stream:
        stream.write("msisdn,name,area\n")
        for number in range(rows):
            stream.write(f"+999{number:09},{NAMES[number % len(NAMES)]},Area {number % 1000}\n")
    return folder


if __name__ == "__main__":
    main()
