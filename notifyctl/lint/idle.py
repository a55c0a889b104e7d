"""Templates that wait for their notification. Each is checked by itself, so that two processes can share them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from notifyctl.beside import Companion
from notifyctl.config import model_builder
from notifyctl.config.parcel import Held
from notifyctl.diagnostics import Diagnostic
from notifyctl.lint.advice import advise_on
from notifyctl.lint.project import compose_all
from notifyctl.lint.unused import stand_in, waiting
from notifyctl.lint.values import check_names
from notifyctl.model.project import Environment, Notification, Project, Template
from notifyctl.ports import FileTree
from notifyctl.records import replace

ENOUGH = 50
"""How many templates are worth a question to the second process."""


def check_idle(
    project: Project, *, environment: Environment, files: FileTree, companion: Companion | None = None
) -> list[Diagnostic]:
    """All that lint says of them, in no order. `companion`: looks at those that it has in hand, where they are many."""
    idle = waiting(project)
    share = companion.share if companion is not None else ()
    far = [each for each in idle if each.marks.file in share]
    if companion is None or len(far) < ENOUGH:
        return check_each(project, idle, environment=environment, files=files)
    import pickle

    settings = replace(project, templates={}, audiences={}, schedules={}, notifications={})
    companion.ask(pickle.dumps((settings, environment, [(each.marks.file, each.name) for each in far])))
    near = [each for each in idle if each.marks.file not in share]
    found = check_each(project, near, environment=environment, files=files)
    data = companion.answer()
    if data is None:
        return found + check_each(project, far, environment=environment, files=files)
    found += pickle.loads(data)  # noqa: S301 - a copy of this process wrote it a moment ago
    return found


def answer(held: Held, question: bytes) -> bytes:
    """What the second process says of the templates that it is asked about."""
    import pickle

    project, environment, wanted = pickle.loads(question)  # noqa: S301 - the process that this one is a copy of wrote it
    known = {(d.marks.file, d.name): d for d in reversed(held.documents) if d.kind == "Template" and d.sound}
    templates = (
        model_builder.template(name, known[file, name].values, known[file, name].marks)
        for file, name in wanted
    )
    return pickle.dumps(check_each(project, templates, environment=environment, files=held.files))


def check_each(
    project: Project, idle: Iterable[Template], *, environment: Environment, files: FileTree
) -> list[Diagnostic]:
    return [
        each
        for one in map(stand_in, idle)
        for each in check_one(project, one, environment=environment, files=files)
    ]


def check_one(
    project: Project, notification: Notification, *, environment: Environment, files: FileTree
) -> Iterator[Diagnostic]:
    """`notification` stands in for the one that the template waits for."""
    messages, problems = compose_all(project, notification, environment=environment, files=files, columns=())
    yield from problems
    yield from check_names(notification, messages)
    yield from advise_on(notification, messages, environment=environment)
