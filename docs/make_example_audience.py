"""Make notifications/audiences/ec1m.csv again: 1,200 made-up people, with the blemishes that real lists have.

The numbers are reserved for fiction: +44 7700 900000 to 900999 by Ofcom, +33 6 39 98 00 00 to 99 99 by Arcep.
Run: python docs/make_example_audience.py
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

OUT = Path(__file__).parents[1] / "notifications" / "audiences" / "ec1m.csv"
ENGLISH = [
    "Ada",
    "Grace",
    "Alan",
    "Mary",
    "Tim",
    "Margaret",
    "Linus",
    "Edith",
    "Karen",
    "Dennis",
    "Barbara",
    "Frances",
    "Radia",
]
FRENCH = [
    "Amélie",
    "Blaise",
    "Émilie",
    "René",
    "Sophie",
    "Évariste",
    "Hélène",
    "Benoît",
    "Zoé",
    "Loïc",
    "François",
    "Maëlle",
]
HEADER = ["first_name", "phone", "mail", "lang", "postcode", "duration", "tz"]


def people() -> list[list[str]]:
    chance = random.Random(20261123)  # noqa: S311 - made-up people, the same each time
    rows = []
    for number in range(1200):
        french = number >= 760
        name = chance.choice(FRENCH if french else ENGLISH)
        phone = f"+336399{80000 + number - 760}" if french else f"+44 7700 900{number:03d}"
        long_cut = number % 40 == 7
        rows.append(
            [
                name,
                phone,
                f"reader{number:04d}@mail.example",
                "fr" if french else "en",
                f"EC1M {chance.randint(3, 7)}{chance.choice('BDEHLN')}{chance.choice('AHQTX')}",
                ("2 jours" if long_cut else "4 heures") if french else ("two days" if long_cut else ""),
                "Europe/Paris" if french else "Europe/London",
            ]
        )
    rows[3][0] = 'Sam "Sparky"'
    rows[12][1] = ""  # no number
    rows[611][1] = "ask her son"  # no number either
    rows[845][1] = rows[844][1]  # one household, one phone
    rows[30][0] = "Ada, Lady"
    return rows


def write(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(people())


if __name__ == "__main__":
    write(OUT)
