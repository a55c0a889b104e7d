"""The CA files that environments name: there, readable, and with a certificate in them."""

from __future__ import annotations

from collections.abc import Iterator

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.model.project import Project
from notifyctl.ports import FileTree
from notifyctl.transport.ca_files import read_certificates

HINT = "`caFile` is relative to the folder of notifyctl.yaml"


def check_ca_files(project: Project, files: FileTree) -> Iterator[Diagnostic]:
    """Of all environments: which of them is used where cannot be known here."""
    for environment in project.environments.values():
        if environment.ca_file is not None:
            try:
                read_certificates(files, environment.ca_file)
            except ValueError as error:
                place = environment.positions.location("caFile")
                yield Diagnostic("unreadable-file", Severity.ERROR, str(error), place, HINT)
