"""`numbers: valid` over many numbers of all countries: the `phonenumbers` package, our test for one, and our SQL for all.

The numbers are the package's own examples with their last digits counted up, most of them valid. All three must agree on
each. The package is measured on fewer of them, and its time scaled.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

import phonenumbers
from figures import Figure, arguments, interleaved, judged, report
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from notifyctl.audience.addresses import Address, plausible
from notifyctl.audience.engine import Engine
from notifyctl.audience.numbering import LONGEST_CODE, verdict, verdicts_sql
from notifyctl.model.project import Numbers

TO_THE_LIBRARY = 50
"""The package is given one in so many numbers."""


def main() -> None:
    given = arguments(__doc__ or "", rounds=5).parse_args()
    count = 1_000_000 if given.size == "full" else 5_000
    report(list(measured(count, given.rounds)), given.json)


def mobiles() -> list[str]:
    """An example of a mobile number of each region."""
    found = (
        phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    )
    return [phonenumbers.format_number(each, PhoneNumberFormat.E164) for each in found if each is not None]


def numbers(count: int) -> Iterator[str]:
    """One number of each region in turn, the last three digits counted up."""
    starts = mobiles()
    for number in range(count):
        start = starts[number % len(starts)]
        yield f"{start[:-3]}{number // len(starts) % 1000:03}"


def measured(count: int, rounds: int) -> Iterator[Figure]:
    made = list(numbers(count))
    few = made[::TO_THE_LIBRARY]
    with Engine() as engine:
        engine.run("CREATE TABLE numbers (number VARCHAR)")
        import numpy as np

        with engine.given("chunk", {"number": np.array(made, dtype=object)}):
            engine.run("INSERT INTO numbers SELECT * FROM chunk")

        def by_sql() -> int:
            engine.run("CREATE OR REPLACE TABLE ordered AS SELECT number FROM numbers ORDER BY number")
            beginnings = f"SELECT DISTINCT number[1:{LONGEST_CODE + 1}] FROM ordered"
            begun = [start for (start,) in engine.rows(beginnings)]
            engine.run("CREATE OR REPLACE TABLE told (number VARCHAR, sound BOOLEAN)")
            for query in verdicts_sql("ordered", "number", Numbers.VALID, begun):
                engine.run(f"INSERT INTO told {query}")
            # What is not known is asked one by one, as a plan does.
            unsure = engine.rows("SELECT number FROM told WHERE sound IS NULL")
            certain = engine.row("SELECT count(*) FROM told WHERE sound")[0]
            return int(certain) + sum(taken(number) for (number,) in unsure)

        agree(few)
        runs = {
            "library": lambda: [asked(number) for number in few],
            "ours": lambda: [taken(number) for number in few],
            "sql": by_sql,
        }
        if by_sql() != sum(map(taken, made)):
            sys.exit("they do not agree")
        times = interleaved(rounds, runs)
    library, ours = (times[name] / len(few) for name in ("library", "ours"))
    sql = times["sql"] / count
    detail = f"phonenumbers {library * 1e6:.1f} us, SQL {sql * 1e6:.2f} us a number, {count:,} of all regions"
    yield judged(
        "numbers: valid, of all at once, against phonenumbers", library / sql, ">= 100", detail=detail
    )
    detail = f"one by one {ours * 1e6:.1f} us"
    yield judged("numbers: valid, one by one, against phonenumbers", library / ours, ">= 1", detail=detail)


def agree(given: list[str]) -> None:
    for number in itertools.chain(given, (number[:-1] for number in given)):
        if taken(number) != asked(number) or verdict(number, Numbers.VALID) not in {None, asked(number)}:
            sys.exit(f"they do not agree on {number}")


def asked(number: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def taken(number: str) -> bool:
    try:
        plausible(Address(number, number), Numbers.VALID)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    main()
