"""How fast `$(name)` is filled in, against Jinja2 with a template that was compiled beforehand.

    python benchmarks/render.py [--rounds 9] [--size small|full] [--json FILE]

Two texts: an SMS of 160 characters with 4 variables, and an HTML e-mail of 20 KB with 10. Both engines get the values of each
recipient as they hold them (we a tuple, Jinja2 a mapping), and both must write the same text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from figures import Figure, arguments, interleaved, judged, report

SMS = (
    "Hello {name}, the supply in {area} will be interrupted on Tuesday between {from} and {until} for work on the net."
    " We are sorry. Questions? Answer this text."
)
PARAGRAPH = "<p style='margin:0 0 12px'>We replace the cables below your street, and thank you for your patience.</p>\n"
NAMES = ("name", "area", "from", "until", "street", "reference", "team", "phone", "deposit", "day")
TIMES = {"small": (2, 1), "full": (200, 20)}
"""How often the SMS and the e-mail are filled in for everybody in a round."""
PEOPLE = 100


def main() -> None:
    given = arguments(__doc__.splitlines()[0], rounds=9).parse_args()
    sms, mail = TIMES[given.size]
    texts = {"SMS of 160 characters, 4 variables": (short(), NAMES[:4], sms, ">= 40")}
    texts["HTML of 20 KB, 10 variables"] = (long(), NAMES, mail, ">= 10")
    print(f"{'':<40}{'ours, us':>10}{'Jinja2, us':>12}")
    figures: list[Figure] = []
    for title, (text, names, times, wanted) in texts.items():
        medians = interleaved(given.rounds, fills(text, names, times))
        ours, theirs = (medians[name] / times / PEOPLE * 1e6 for name in ("ours", "Jinja2"))
        print(f"{title:<40}{ours:>10.2f}{theirs:>12.2f}")
        detail = f"Jinja2 {theirs:.2f} us, ours {ours:.2f} us a message"
        figures.append(judged(f"Render: {title}, against Jinja2", theirs / ours, wanted, detail=detail))
    report(figures, given.json)


def short() -> str:
    text = SMS.format_map({name: f"$({name})" for name in NAMES})
    return text + "." * (160 - len(text))


def long() -> str:
    parts = [f"<h2>$({name})</h2>\n" + PARAGRAPH * 19 for name in NAMES]
    return "<html><body>\n" + "".join(parts) + "</body></html>\n"


def fills(text: str, names: Sequence[str], times: int) -> Mapping[str, Callable[[], None]]:
    """A round of each engine."""
    from jinja2 import Environment

    from notifyctl.message import Filler
    from notifyctl.model.message import Message
    from notifyctl.model.project import ChannelName

    message = Message(ChannelName.SMS, "ACME", {"type": "text", "text": text}, names=tuple(names))
    fill = Filler(message).fill("text")
    template = Environment(autoescape=False, keep_trailing_newline=True).from_string(  # noqa: S701 - as we: no escaping
        re.sub(r"\$\((\w+)\)", r"{{ \1 }}", text)
    )
    people = [tuple(f"{name}-{number}" for name in names) for number in range(PEOPLE)]
    mappings = [dict(zip(names, values, strict=True)) for values in people]
    assert fill(people[7]) == template.render(mappings[7])

    def ours() -> None:
        for _ in range(times):
            for values in people:
                fill(values)

    def theirs() -> None:
        for _ in range(times):
            for mapping in mappings:
                template.render(mapping)

    return {"ours": ours, "Jinja2": theirs}


if __name__ == "__main__":
    main()
