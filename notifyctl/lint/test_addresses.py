"""Addresses for tests that no test can be sent to, because the environment's allow-list does not have them."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from notifyctl.audience.email_spelling import pattern_to_ascii
from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.model.project import Project

RULE = "test-address-not-allowed"
WILD = frozenset("*?[")


def check_test_addresses(project: Project) -> Iterator[Diagnostic]:
    """Of all environments. Only single addresses are judged: a pattern may match what another pattern matches."""
    for environment in project.environments.values():
        if environment.fence is None:
            continue
        fence = [pattern_to_ascii(pattern).lower() for pattern in environment.fence]
        for number, address in enumerate(environment.tests or ()):
            if WILD & set(address):
                continue
            if not any(fnmatchcase(pattern_to_ascii(address).lower(), pattern) for pattern in fence):
                yield Diagnostic(
                    RULE,
                    Severity.WARNING,
                    f"no test can be sent to this address: it is not on the allow-list (`fence`) of environment"
                    f" `{environment.name}`",
                    environment.positions.location("tests", "allow", number),
                    hint="add it to `fence` too, or remove it here",
                )
