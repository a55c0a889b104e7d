"""The entry point of `python -m notifyctl` and of the console script."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the process's command line and exit with its code."""
    from notifyctl.app.environ import spare_threads
    from notifyctl.cli.main import run

    spare_threads()
    sys.exit(run())


if __name__ == "__main__":
    main()
