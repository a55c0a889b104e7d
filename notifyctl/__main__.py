"""`python -m notifyctl` and the console script: nothing but the way into the command line."""

from __future__ import annotations

import gc
import sys

ROOMY = 1_000_000
"""New objects before the collector looks through them: imports and a project's documents make many, and all are kept."""


def main() -> None:
    gc.set_threshold(ROOMY)
    from notifyctl.app.environ import process_environ
    from notifyctl.cli.quick import answer

    arguments = sys.argv[1:]
    code = answer(arguments, process_environ())
    if code is None:
        from notifyctl.cli.main import run

        code = run(arguments)
    sys.exit(code)


if __name__ == "__main__":
    main()
