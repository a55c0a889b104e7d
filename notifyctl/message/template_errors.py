"""What is wrong with a template that cannot be rendered, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError

from notifyctl.diagnostics import Diagnostic, Location, Severity, truncate
from notifyctl.message.jinja import TemplateFileError, TemplateLimitError
from notifyctl.message.jinja_comments import CommentError
from notifyctl.message.render_limits import SECONDS, OutOfTimeError
from notifyctl.message.source_map import TextSource, locate_in_source
from notifyctl.message.undefined_names import find_undefined_names
from notifyctl.ports import FileTree


def explain_error(
    error: Exception, source: TextSource, variables: Mapping[str, Any], *, files: FileTree
) -> list[Diagnostic]:
    """The diagnostics of an exception that rendering raised: every undefined name at each of its places, or one diagnostic."""
    if isinstance(error, jinja2.UndefinedError):
        found = find_undefined_names(source.text, source.name, variables, files=files)
        if any(repr(use.name) in str(error.message) for use in found):
            return [
                Diagnostic(
                    "template-undefined",
                    Severity.ERROR,
                    f"`{truncate(use.name)}` is undefined",
                    locate_in_source(source, use.template, use.line, use.column, files=files),
                    explain_undefined(use.name, variables),
                )
                for use in found
            ]
    rule, message, hint = explain(error, variables)
    return [Diagnostic(rule, Severity.ERROR, message, locate_error(error, source, files), hint)]


def locate_error(error: Exception, source: TextSource, files: FileTree) -> Location:
    """The line of the template at which an exception was raised; the beginning of the text if that is unknown."""
    line, template = getattr(error, "lineno", None), getattr(error, "name", None)
    if not isinstance(line, int):
        template, line = raised_at(error)
    if not line:
        return source.place
    template = template if isinstance(template, str) else source.name
    column = 1
    if template == source.name:
        row = [*source.text.split("\n"), *[""] * line][line - 1]
        column += len(row) - len(row.lstrip())
    return locate_in_source(source, template, line, column, files=files)


def raised_at(error: Exception) -> tuple[str | None, int]:
    """The template and line at which an exception left the code that Jinja2 made, from its traceback."""
    place: tuple[str | None, int] = (None, 0)
    frame = error.__traceback__
    while frame is not None:
        if "__jinja_exception__" in frame.tb_frame.f_globals:
            place = (frame.tb_frame.f_code.co_filename, frame.tb_lineno)
        frame = frame.tb_next
    return place


def explain_undefined(name: str, variables: Mapping[str, Any]) -> str:
    known = ", ".join(sorted(variables)) or "none"
    return f"for each recipient's own value write $({name}); `vars` of the project or environment define: {known}"


def explain(error: Exception, variables: Mapping[str, Any]) -> tuple[str, str, str | None]:
    """Returns the rule, message and hint for an exception raised by a template."""
    if isinstance(error, CommentError):
        return "template-syntax", f"the template cannot be read: {error}", error.hint
    if isinstance(error, jinja2.TemplateSyntaxError):
        return "template-syntax", f"the template cannot be read: {truncate(error.message)}", None
    if isinstance(error, jinja2.UndefinedError):
        known = ", ".join(sorted(variables)) or "none"
        return (
            "template-undefined",
            truncate(error.message),
            f"`vars` of the project or environment define: {known}",
        )
    if isinstance(error, jinja2.TemplateNotFound):
        hint = "a path relative to this file or to the project; nothing outside the project can be included"
        return "template-include", f"there is no file {truncate(error.name)!r} to include", hint
    if isinstance(error, TemplateFileError):
        return "template-include", str(error), None
    if isinstance(error, OutOfTimeError):
        return "template-limit", f"the template takes more than {SECONDS:g} seconds to fill in", None
    if isinstance(error, (TemplateLimitError, RecursionError, MemoryError, OverflowError)):
        return "template-limit", f"the template asks for too much: {truncate(error)}", None
    if isinstance(error, SecurityError):
        return "template-security", f"the template reaches for what it may not: {truncate(error)}", None
    return "template-error", f"the template fails: {type(error).__name__}: {truncate(error)}", None
