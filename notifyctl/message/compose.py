"""Composes a template into a message: merges the locale variant, reads files and runs Jinja2 once over every string.

Jinja2 sees the project's `vars` only. `$(name)` stays as it is; `substitute` fills it for each recipient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from posixpath import dirname, join, normpath
from typing import Any

from notifyctl import merge_conflicts
from notifyctl.diagnostics import Diagnostic, Location, Path, Positions, Problem, Severity, truncate
from notifyctl.merge_conflicts import find_conflict
from notifyctl.message.fast_render import render_fast
from notifyctl.message.line_ends import unify_line_ends
from notifyctl.message.render_limits import MAX_TEXT
from notifyctl.message.source_map import Locator, TextSource
from notifyctl.message.substitute import find_placeholders
from notifyctl.model.message import UNSUBSCRIBE, Message
from notifyctl.model.project import ApiObject, LocaleVariant, Notification, Template
from notifyctl.model.written_values import plain
from notifyctl.ports import FileTree
from notifyctl.text_encoding import NotUtf8Error, decode_utf8

MAX_NAMES = 1000
"""Most variables that one message can use."""
FILE_FIELDS = {"textFile": "text", "htmlFile": "html"}
EXCLUSIVE = {key: pair for pair in FILE_FIELDS.items() for key in pair}
"""Key → its pair of keys, of which setting one removes the other."""

Finder = Callable[[Path], Positions]
"""Maps a path in the merged document to the positions of the document that defines it."""


def variants(template: Template) -> tuple[str | None, ...]:
    """Returns the variants of a template: None for the default text, then each locale with a text of its own."""
    return (None, *sorted(template.locales))


def variant_for(template: Template, locale: str | None) -> str | None:
    """Returns the variant for a locale, by falling back: fr-CA → fr → the default text (None)."""
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
    """Composes one variant. Returns the message, or None and the problems.

    `columns` are the audience's variables, which a template stored at the provider can use.
    """
    composer = VariantComposer(notification, variables=variables, sender=sender, columns=columns, files=files)
    return composer.compose(variant, locale)


class VariantComposer:
    """Composes the variants of one notification and reuses what they share."""

    def __init__(
        self,
        notification: Notification,
        *,
        variables: Mapping[str, Any],
        sender: str,
        columns: Sequence[str],
        files: FileTree,
        former: bool = False,
    ) -> None:
        """`former`: compose as earlier versions did, to recognise what they sent: numbers and booleans of `vars` as Python
        prints them, and the last line end of a text file as part of the text.
        """
        self.notification = notification
        self.variables = plain(variables) if former else variables
        self.former = former
        self.sender = sender
        self.columns = columns
        self.files = files
        self.composers: dict[str | None, Composer] = {}
        """Variant → what composed it."""
        self.shared = find_shared_values(notification)
        self.options = merge(notification.template.options, notification.options)
        self.option_names = find_placeholders(self.options) if is_composed(self.options) else None
        """Variables in the shared options, or None if the options need Jinja2."""

    def compose(self, variant: str | None, locale: str) -> tuple[Message | None, list[Diagnostic]]:
        template = self.notification.template
        locale_variant = template.locales.get(variant or "")
        find = position_finder(self.notification, variant)
        composer = Composer(
            self.files, {**self.variables, "locale": locale}, find, keeps_line_end=self.former
        )
        options = self.options_of(locale_variant, composer)
        content = template.content
        if content is not None:
            content = strip_lint_keys(
                composer.compose_object(
                    merge(content, locale_variant.content if locale_variant else {}), "content"
                )
            )
        self.composers[variant] = composer
        subject = template.remote_subject
        if subject is not None:
            subject = composer.text(subject, ("template", "subject"))
        if composer.problems:
            return None, composer.problems
        names = self.names_of(content, options)
        if len(names) > MAX_NAMES:
            message = f"the message uses {len(names):,} variables; the limit is {MAX_NAMES:,}"
            location = find(("content",)).location("content")
            return None, [Diagnostic("template-limit", Severity.ERROR, message, location)]
        return self.build(variant, content, options, names, subject=subject), []

    def locate(self, variant: str | None, problem: Problem, message: Message) -> tuple[Location, Location]:
        """Where a problem of a composed message is, and where the YAML file names what has it."""
        composer = self.composers[variant]
        named = locate_text(self.notification, variant, problem.path)
        known = composer.sources.get(problem.path)
        if not problem.line:
            return (known.place if known is not None and "#" not in known.name else named), named
        locator = composer.locators.get(problem.path)
        if locator is None:
            text = text_at(message, problem.path)
            source = known or TextSource(named, f"{named.file}#", text)
            locator = Locator(source, text, files=self.files, variables=composer.variables)
            composer.locators[problem.path] = locator
        return locator.locate(problem.line, problem.column), named

    def build(
        self,
        variant: str | None,
        content: ApiObject | None,
        options: ApiObject,
        names: tuple[str, ...],
        *,
        subject: str | None,
    ) -> Message:
        """`subject`: in place of that of a template at the provider."""
        notification = self.notification
        return Message(
            channel=notification.template.channel,
            sender=self.sender,
            content=content,
            options=options,
            locale=variant,
            cc=notification.cc,
            bcc=notification.bcc,
            smartlinks=notification.smartlinks,
            template_id=notification.template.remote_id,
            template_subject=subject,
            names=names,
            shared={name: self.shared[name] for name in names if name in self.shared},
        )

    def options_of(self, locale_variant: LocaleVariant | None, composer: Composer) -> dict[str, Any]:
        """Returns the options of a variant. Without options of its own it shares the template's."""
        if locale_variant is None or not locale_variant.options:
            return (
                self.options
                if self.option_names is not None
                else composer.compose_object(self.options, "options")
            )
        own = merge(self.notification.template.options, locale_variant.options)
        return composer.compose_object(merge(own, self.notification.options), "options")

    def names_of(self, content: ApiObject | None, options: ApiObject) -> tuple[str, ...]:
        """Returns the variables that the message uses, sorted."""
        notification = self.notification
        if notification.template.remote_id is None:
            names = find_placeholders(content)
            names |= (
                find_placeholders(options)
                if options is not self.options or self.option_names is None
                else self.option_names
            )
        elif (declared := notification.template.variables) is not None:
            names = {variable.name for variable in declared}
        else:
            names = {*notification.substitutions, *self.columns}
        names.discard(UNSUBSCRIBE)
        return tuple(sorted(names))


def find_shared_values(notification: Notification) -> dict[str, str]:
    """Returns the values that all recipients share: the notification's substitutions over the template's defaults."""
    shared: dict[str, str] = {}
    for variable in notification.template.variables or ():
        if variable.default is not None or not variable.required:
            shared[variable.name] = variable.default or ""
    return {**shared, **notification.substitutions}


def is_composed(value: Any) -> bool:
    """Whether composing leaves a nested value as it is."""
    if isinstance(value, dict):
        return all(key not in FILE_FIELDS and is_composed(item) for key, item in value.items())
    return isinstance(value, bool) or (isinstance(value, str) and "{" not in value and len(value) <= MAX_TEXT)


def strip_lint_keys(content: ApiObject | None) -> ApiObject | None:
    """Removes keys that only lint uses: the sizes of attachments."""
    if content is None or "attachments" not in content:
        return content
    files = [{key: value for key, value in each.items() if key != "size"} for each in content["attachments"]]
    return {**content, "attachments": files}


def merge(base: ApiObject, over: ApiObject) -> dict[str, Any]:
    """Merges two objects: `over` wins key by key at every depth. Lists are replaced whole; a file and a text replace
    each other.
    """
    result = dict(base)
    for key, value in over.items():
        for each in EXCLUSIVE.get(key, ()):
            result.pop(each, None)
        nested = base.get(key)
        if isinstance(value, Mapping) and isinstance(nested, Mapping):
            result[key] = merge(nested, value)
        else:
            result[key] = value
    return result


def text_at(message: Message, path: Path) -> str:
    """A text of a composed message, by its path."""
    value: Any = {"content": message.content, "options": message.options}
    for key in path:
        value = value[key]
    return str(value)


def locate_text(notification: Notification, variant: str | None, path: Path) -> Location:
    """Where the YAML file gives the value at a path of the composed message, or names the file of a text."""
    keys = {field: key for key, field in FILE_FIELDS.items()}
    given = (*path[:-1], keys.get(str(path[-1]), path[-1])) if path else path
    positions = find_positions(notification, variant, given)
    if positions.has(*given):
        return positions.location(*given)
    return find_positions(notification, variant, path).location(*path)


def position_finder(notification: Notification, variant: str | None) -> Finder:
    """Returns a function that finds the document of a composed value: notification, locale variant or template."""
    return partial(find_positions, notification, variant)


def find_positions(notification: Notification, variant: str | None, path: Path) -> Positions:
    template = notification.template.positions
    layers = [notification.positions, *([template.nested("locales", variant)] if variant else []), template]
    return next((positions for positions in layers if positions.has(*path)), template)


class Composer:
    """Composes nested values: renders their strings and collects all problems."""

    def __init__(
        self, files: FileTree, variables: Mapping[str, Any], find: Finder, *, keeps_line_end: bool = False
    ) -> None:
        """`keeps_line_end`: the last line end of a text file is part of the text."""
        self.files = files
        self.keeps_line_end = keeps_line_end
        self.variables = variables
        self.find = find
        self.problems: list[Diagnostic] = []
        self.sources: dict[Path, TextSource] = {}
        """Path of a composed text → what it was rendered from, if that has more than its own characters."""
        self.locators: dict[Path, Locator] = {}
        """Path of a composed text with a problem → what finds its places."""
        self._render: Callable[[str, str, Mapping[str, Any]], str] | None = None

    def compose_object(self, value: ApiObject, key: str) -> dict[str, Any]:
        """Composes the content or options, where a file can stand in for a text."""
        result: dict[str, Any] = {}
        for name, item in value.items():
            if name in FILE_FIELDS:
                result[FILE_FIELDS[name]] = self.file(item, (key, name))
            else:
                result[name] = self.walk(item, (key, name))
        return result

    def walk(self, value: Any, path: Path) -> Any:
        if isinstance(value, str):
            return self.text(value, path)
        if isinstance(value, Mapping):
            return {FILE_FIELDS.get(key) or key: self.walk(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.walk(item, (*path, number)) for number, item in enumerate(value)]
        return value

    def text(self, source: str, path: Path) -> str:
        """Renders a string of a YAML file."""
        text = self.render_string(source, path)
        return unify_line_ends(text) if "\r" in text else text

    def render_string(self, source: str, path: Path) -> str:
        if len(source) <= MAX_TEXT:
            text = render_fast(source, f"#{path[-1]}", self.variables) if "{" in source else source
            if text is not None and len(text) <= MAX_TEXT:
                return text
        place = self.find(path).location(*path)
        return self.render(TextSource(place, f"{place.file}#{path[-1]}", source), path)

    def file(self, file_name: str, path: Path) -> str:
        """Reads and renders a `textFile` or `htmlFile`: relative to its YAML file, else to the project's root."""
        location = self.find(path).location(*path)
        for candidate in (normpath(join(dirname(location.file), file_name)), normpath(file_name)):
            try:
                source = decode_utf8(self.files.read(candidate))
            except NotUtf8Error as error:
                place = Location(candidate, error.line, error.column)
                return self.problem("unreadable-file", str(error), place, error.hint)
            except (FileNotFoundError, ValueError):
                continue
            except OSError as error:
                message = f"cannot read `{truncate(candidate)}`: {error.strerror}"
                return self.problem("unreadable-file", message, location)
            source = unify_line_ends(source)
            if (conflict := find_conflict(source)) is not None:
                place = Location(candidate, source.count("\n", 0, conflict) + 1, 1)
                return self.problem(
                    merge_conflicts.RULE, merge_conflicts.MESSAGE, place, merge_conflicts.HINT
                )
            if path[-1] == "textFile" and not self.keeps_line_end:
                source = source.removesuffix(
                    "\n"
                )  # the one that every editor writes, and every reader would pay for
            composed_path = (*path[:-1], FILE_FIELDS[str(path[-1])])
            text = self.render(TextSource(Location(candidate, 1, 1), candidate, source), composed_path)
            return unify_line_ends(text)
        hint = "use a path relative to this file or to the project; files outside the project cannot be read"
        return self.problem("unreadable-file", f"no such file: `{truncate(file_name)}`", location, hint)

    def render(self, source: TextSource, path: Path) -> str:
        """Renders the text at a path of the composed message."""
        if len(source.text) > MAX_TEXT:
            return self.problem(
                "template-limit",
                f"text has {len(source.text):,} characters; the limit is {MAX_TEXT:,}",
                source.place,
            )
        self.sources[path] = source
        if "{" not in source.text:
            return source.text
        text = render_fast(source.text, source.name, self.variables)
        if text is not None and len(text) <= MAX_TEXT:
            return text
        if self._render is None:
            from notifyctl.message.jinja import make_renderer

            self._render = make_renderer(self.files)
        try:
            return self._render(source.text, source.name, self.variables)
        except Exception as error:  # noqa: BLE001 - whatever a user's template raises is a problem of the template
            from notifyctl.message.template_errors import explain_error

            self.problems += explain_error(error, source, self.variables, files=self.files)
            return ""

    def problem(self, rule: str, message: str, place: Location, hint: str | None = None) -> str:
        self.problems.append(Diagnostic(rule, Severity.ERROR, message, place, hint))
        return ""
