"""`python -m notifyctl` and the console script: nothing but the way into the command line, and out of it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

ROOMY = 1_000_000
"""How many new objects the collector waits for in a lint: what imports and documents make is kept to the end, and looking
through it again and again takes a tenth of the time.
"""
ENGINE = "notifyctl.engine"
"""The module whose objects may hold much memory, and folders on the disk that are to be put away at the end."""


def main() -> None:
    code = quickly(sys.argv[1:])
    if code is not None:
        leave(code)
    from notifyctl.app.environ import spare_threads
    from notifyctl.cli.main import run

    spare_threads()
    code = run(sys.argv[1:])
    if ENGINE in sys.modules:
        leave(code)
    sys.exit(code)


def quickly(arguments: Sequence[str]) -> int | None:
    """The exit code of what can be answered without click; None for all else."""
    usual = gc.get_threshold()
    gc.set_threshold(ROOMY)
    from notifyctl.app.environ import process_environ
    from notifyctl.cli.quick import answer

    code = answer(arguments, process_environ())
    if code is None:
        gc.freeze()  # what was imported stays
        gc.set_threshold(*usual)
    return code


def leave(code: int) -> NoReturn:
    """At once, where nobody waits for the end: to take apart all that was made is a sixth of a lint of one file, and a tenth of
    a second after a million people.
    """
    if sys.gettrace() is not None or sys.getprofile() is not None:
        sys.exit(code)
    if ENGINE in sys.modules:
        sys.modules[ENGINE].put_away()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
