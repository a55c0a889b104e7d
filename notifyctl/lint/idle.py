"""Templates that wait for their notification. Each is checked by itself, so that two processes can share them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from notifyctl.beside import beside, pays
from notifyctl.diagnostics import Diagnostic
from notifyctl.lint.advice import advise_on
from notifyctl.lint.project import compose_all
from notifyctl.lint.unused import waiting
from notifyctl.lint.values import check_names
from notifyctl.model import Environment, Notification, Project
from notifyctl.ports import FileTree


def check_idle(
    project: Project, *, environment: Environment, files: FileTree, together: bool = False
) -> list[Diagnostic]:
    """All that lint says of them, in no order. `together`: a second process may look at half of many."""

    def found(some: Sequence[Notification]) -> list[Diagnostic]:
        return [
            each for one in some for each in check_one(project, one, environment=environment, files=files)
        ]

    idle = list(waiting(project))
    if not together or not pays(len(idle)):
        return found(idle)
    import pickle

    middle = len(idle) // 2
    with beside(lambda: pickle.dumps(found(idle[middle:]))) as answer:
        near = found(idle[:middle])
        data = answer()
    # What is unpickled was written by a copy of this process a moment ago.
    far: list[Diagnostic] = found(idle[middle:]) if data is None else pickle.loads(data)  # noqa: S301
    return near + far


def check_one(
    project: Project, notification: Notification, *, environment: Environment, files: FileTree
) -> Iterator[Diagnostic]:
    """`notification` stands in for the one that the template waits for."""
    messages, problems = compose_all(project, notification, environment=environment, files=files, columns=())
    yield from problems
    yield from check_names(notification, messages)
    yield from advise_on(notification, messages, environment=environment)
