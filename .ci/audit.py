"""Looks pinned packages up in the advisories of PyPI, else of OSV, by pip-audit.

    python audit.py PIP-AUDIT REQUIREMENTS…

Exits 1 where a package has a known vulnerability. Where neither service answers within the limit, or neither knows the packages
(a mirror), it says so in a sentence and exits 0: a build without a network is no worse than before.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

SERVICES = ("pypi", "osv")
SECONDS = 120
"""For one service and one file."""


def audit(program: str, service: str, requirements: str, *, seconds: float) -> list[dict[str, Any]]:
    """The packages that the service knows, each with its `vulns`; none if it cannot be reached."""
    command = [program, "-s", service, "-r", requirements, "--no-deps", "--disable-pip", "-f", "json"]
    try:
        done = subprocess.run(
            [*command, "--progress-spinner", "off"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        found = json.loads(done.stdout)["dependencies"]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return []
    return [package for package in found if "vulns" in package]


def main(program: str, *files: str, seconds: float = SECONDS) -> int:
    bad = False
    for file in files:
        found: list[dict[str, Any]] = []
        for service in SERVICES:
            found = audit(program, service, file, seconds=seconds)
            if found:
                break
        if not found:
            print(f"NOT AUDITED: {file}: no service of advisories could be reached ({', '.join(SERVICES)})")
            continue
        print(f"audited: {file}: {len(found)} of its packages")
        for package in found:
            for each in package["vulns"]:
                bad = True
                fixed = ", ".join(each.get("fix_versions", ())) or "no version"
                print(f"  {package['name']} {package['version']}: {each['id']}, fixed in {fixed}")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
