"""From a template to a message: the locale's variant merged in, files read, Jinja2 run once over every string.

Jinja2 sees the project's `vars` only. `$(name)` is left standing: it is filled for each recipient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from posixpath import dirname, join, normpath
from typing import Any

from notifyctl.delivery import UNSUBSCRIBE, Message
from notifyctl.diagnostics import Diagnostic, Location, Marks, Path, Severity, clipped
from notifyctl.message.bounds import MAX_TEXT
from notifyctl.message.plain import plainly
from notifyctl.message.substitute import placeholders
from notifyctl.model import ApiObject, Notification, Template
from notifyctl.ports import FileTree

MAX_NAMES = 1000
"""How many variables a message may read."""
FILE_FIELDS = {"textFile": "text", "htmlFile": "html"}
EXCLUSIVE = {key: pair for pair in FILE_FIELDS.items() for key in pair}
"""Each of these keys replaces the other of its pair."""

Finder = Callable[[Path], Marks]
"""A path in the merged document → the marks of the document in which it was written."""


def variants(template: Template) -> tuple[str | None, ...]:
    """The template's own text first, then each locale that differs from it."""
    return (None, *sorted(template.locales))


def variant_for(template: Template, locale: str | None) -> str | None:
    """Which variant a locale reads: fr-CA → fr → the template's own text."""
    if not template.locales or not locale:
        return None
    by_name = {name.lower().replace("_", "-"): name for name in template.locales}
    wanted = locale.lower().replace("_", "-")
    while wanted:
        if wanted in by_name:
            return by_name[wanted]
        wanted = wanted.rpartition("-")[0]
    return None


def compose(
    notification: Notification,
    *,
    variant: str | None,
    variables: Mapping[str, Any],
    sender: str,
    locale: str,
    columns: Sequence[str],
    files: FileTree,
) -> tuple[Message | None, list[Diagnostic]]:
    """The message of one variant, or what is wrong with it. `columns` are the audience's variables, which an opaque body
    may read.
    """
    template = notification.template
    differing = template.locales.get(variant or "")
    options = merged(template.options, differing.options if differing else {})
    document = {"options": merged(options, notification.options)}
    if template.content is not None:
        document["content"] = merged(template.content, differing.content if differing else {})
    composer = Composer(files, {**variables, "locale": locale}, written_in(notification, variant))
    composed = composer.walk(document, ())
    if composer.problems:
        return None, composer.problems
    content = sendable(composed.get("content"))
    names, shared = values_of(notification, content, composed["options"], columns)
    message = Message(
        channel=template.channel,
        sender=sender,
        content=content,
        options=composed["options"],
        locale=variant,
        cc=notification.cc,
        bcc=notification.bcc,
        smartlinks=notification.smartlinks,
        template_id=template.remote_id,
        names=names,
        shared=shared,
    )
    if len(message.names) > MAX_NAMES:
        said = f"the message reads {len(message.names):,} variables; {MAX_NAMES:,} are allowed"
        place = composer.find(("content",)).at("content")
        return None, [Diagnostic("template-limit", Severity.ERROR, said, place)]
    return message, []


def sendable(content: ApiObject | None) -> ApiObject | None:
    """Without what files say for lint alone: the sizes of attachments."""
    if content is None or "attachments" not in content:
        return content
    files = [{key: value for key, value in each.items() if key != "size"} for each in content["attachments"]]
    return {**content, "attachments": files}


def values_of(
    notification: Notification, content: ApiObject | None, options: ApiObject, columns: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The variables that a message reads, sorted, and those values of them that are the same for all."""
    declared = notification.template.variables
    if notification.template.remote_id is not None:
        known = (
            [v.name for v in declared] if declared is not None else [*notification.substitutions, *columns]
        )
        names = set(known)
    else:
        names = placeholders(content) | placeholders(options)
    names.discard(UNSUBSCRIBE)
    shared: dict[str, str] = {}
    for variable in declared or ():
        if variable.default is not None or not variable.required:
            shared[variable.name] = variable.default or ""
    shared |= notification.substitutions
    read = tuple(sorted(names))
    return read, {name: shared[name] for name in read if name in shared}


def merged(base: ApiObject, over: ApiObject) -> dict[str, Any]:
    """`over` wins key by key, at every depth; lists are replaced whole. A file and a text replace each other."""
    result = dict(base)
    for key, value in over.items():
        for each in EXCLUSIVE.get(key, ()):
            result.pop(each, None)
        below = base.get(key)
        if isinstance(value, (dict, Mapping)) and isinstance(below, (dict, Mapping)):
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result


def written_in(notification: Notification, variant: str | None) -> Finder:
    """Where a value of a composed message was written: in the notification, the variant or the template itself."""
    template = notification.template.marks
    layers = [notification.marks, *([template.below("locales", variant)] if variant else []), template]

    def find(path: Path) -> Marks:
        return next((marks for marks in layers if marks.has(*path)), template)

    return find


class Composer:
    """Walks a document and renders its strings, collecting every problem."""

    def __init__(self, files: FileTree, variables: Mapping[str, Any], find: Finder) -> None:
        self.files = files
        self.variables = variables
        self.find = find
        self.problems: list[Diagnostic] = []
        self._render: Callable[[str, str, Mapping[str, Any]], str] | None = None

    def walk(self, value: Any, path: Path) -> Any:
        if isinstance(value, str):
            if "{" not in value and len(value) <= MAX_TEXT:
                return value  # nothing for Jinja2: most texts of most projects
            return self.render(value, path, self.find(path).at(*path))
        if isinstance(value, (dict, Mapping)):
            filed = len(path) == 1
            result: dict[str, Any] = {}
            for key, item in value.items():
                if key in FILE_FIELDS and filed:
                    result[FILE_FIELDS[key]] = self.file(item, (*path, key))
                elif type(item) is bool or (type(item) is str and "{" not in item and len(item) <= MAX_TEXT):
                    result[FILE_FIELDS.get(key) or key] = (
                        item  # a leaf with nothing to do, without a call of its own
                    )
                else:
                    result[FILE_FIELDS.get(key) or key] = self.walk(item, (*path, key))
            return result
        if isinstance(value, (list, tuple)):
            return [self.walk(item, (*path, number)) for number, item in enumerate(value)]
        return value

    def file(self, named: str, path: Path) -> str:
        """The text of a `textFile` or `htmlFile`: beside the YAML file that names it, else below the project's root."""
        place = self.find(path).at(*path)
        for candidate in (normpath(join(dirname(place.file), named)), normpath(named)):
            try:
                source = self.files.read(candidate).decode("utf-8-sig")
            except UnicodeDecodeError:
                return self.problem("unreadable-file", f"{candidate} is not UTF-8", place)
            except (FileNotFoundError, ValueError):
                continue
            except OSError as wrong:
                said = f"{clipped(candidate)} cannot be read: {wrong.strerror}"
                return self.problem("unreadable-file", said, place)
            return self.render(
                source, (*path[:-1], FILE_FIELDS[str(path[-1])]), Location(candidate, 1, 1), candidate
            )
        hint = "a path relative to this file or to the project; files outside the project cannot be read"
        return self.problem("unreadable-file", f"there is no file {clipped(named)!r}", place, hint)

    def render(self, source: str, path: Path, place: Location, name: str | None = None) -> str:
        if len(source) > MAX_TEXT:
            return self.problem("template-limit", f"a text of more than {MAX_TEXT:,} characters", place)
        if "{" not in source:
            return source  # nothing for Jinja2: most texts of most projects
        name = name or f"{place.file}#{path[-1]}"
        text = plainly(source, name, self.variables)
        if text is not None and len(text) <= MAX_TEXT:
            return text
        if self._render is None:
            from notifyctl.message.templates import renderer

            self._render = renderer(self.files)
        try:
            return self._render(source, name, self.variables)
        except Exception as error:  # noqa: BLE001 - whatever a user's template raises is a problem of the template
            from notifyctl.message.templates import explain

            rule, message, hint = explain(error, self.variables)
            return self.problem(rule, message, located(error, source, place), hint)

    def problem(self, rule: str, message: str, place: Location, hint: str | None = None) -> str:
        self.problems.append(Diagnostic(rule, Severity.ERROR, message, place, hint))
        return ""


def located(error: Exception, source: str, place: Location) -> Location:
    """The line inside the text, where the error tells it: a text of several lines starts below its place in the YAML."""
    line = getattr(error, "lineno", None)
    name = getattr(error, "name", None)
    if not isinstance(line, int):
        return place
    if isinstance(name, str) and "#" not in name and name != place.file:
        return Location(name, line, 1)  # in a file that was included
    if place.line == 1 and "#" not in str(name):
        return Location(place.file, line, 1)  # in a file of its own
    return Location(place.file, place.line + line, 1) if "\n" in source.rstrip("\n") else place
