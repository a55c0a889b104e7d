"""`python -m notifyctl` and the console script: nothing but the way into the command line."""

from __future__ import annotations

import gc
import sys

ROOMY = 1_000_000
"""How many new objects the collector waits for in a lint: what imports and documents make is kept to the end, and looking
through it again and again takes a tenth of the time.
"""


def main() -> None:
    usual = gc.get_threshold()
    gc.set_threshold(ROOMY)
    from notifyctl.app.environ import process_environ
    from notifyctl.cli.quick import answer

    arguments = sys.argv[1:]
    code = answer(arguments, process_environ())
    if code is None:
        from notifyctl.cli.main import run

        gc.freeze()  # what was imported stays
        gc.set_threshold(*usual)
        code = run(arguments)
    sys.exit(code)


if __name__ == "__main__":
    main()
