"""`python -m notifyctl` and the console script: nothing but the way into the command line."""

from __future__ import annotations

import sys

from notifyctl.cli.main import run


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
