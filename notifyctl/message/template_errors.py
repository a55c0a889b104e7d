"""What is wrong with a template that cannot be rendered, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError

from notifyctl import merge_conflicts
from notifyctl.diagnostics import Diagnostic, Location, Severity, truncate
from notifyctl.message.broken_tags import blank_broken_tags, find_broken_tags
from notifyctl.message.foreign_tags import ForeignTagError
from notifyctl.message.jinja import ConflictError, Sandbox, TemplateFileError, TemplateLimitError
from notifyctl.message.jinja_comments import CommentError
from notifyctl.message.render_limits import SECONDS, OutOfTimeError
from notifyctl.message.source_map import TextSource, locate_in_source, position_of
from notifyctl.message.syntax_hints import explain_syntax
from notifyctl.message.undefined_names import find_undefined_names, read_templates
from notifyctl.ports import FileTree

SYNTAX_ERRORS = (jinja2.TemplateSyntaxError, CommentError, ForeignTagError)


def explain_error(
    error: Exception, source: TextSource, variables: Mapping[str, Any], *, files: FileTree
) -> list[Diagnostic]:
    """The diagnostics of an exception that rendering raised: every undefined name and every tag of another language at each of its
    places, or one diagnostic.
    """
    if isinstance(error, (jinja2.UndefinedError, *SYNTAX_ERRORS)):
        broken = list(broken_tags(source, files))
        if broken:
            return [
                *broken,
                *other_syntax_error(source, variables, files),
                *undefined_names(source, variables, files),
            ]
    if isinstance(error, jinja2.UndefinedError):
        found = list(undefined_names(source, variables, files))
        if any(each.message.split("`")[1] in str(error.message) for each in found):
            return found
    rule, message, hint = explain(error, variables)
    return [Diagnostic(rule, Severity.ERROR, message, locate_error(error, source, files), hint)]


def broken_tags(source: TextSource, files: FileTree) -> Iterator[Diagnostic]:
    """Tags of other languages, and those that Jinja2 cannot read, of the template and what it includes."""
    sources, _ = read_templates(Sandbox(files), source.text, source.name)
    for template, text in sorted(sources.items()):
        for tag in find_broken_tags(text):
            place = locate_in_source(source, template, *position_of(text, tag.start), files=files)
            yield Diagnostic("template-syntax", Severity.ERROR, tag.message, place, tag.hint)


def other_syntax_error(
    source: TextSource, variables: Mapping[str, Any], files: FileTree
) -> Iterator[Diagnostic]:
    """What is wrong beside the tags of other languages."""
    try:
        Sandbox(files).parse(blank_broken_tags(source.text), source.name, source.name)
    except (*SYNTAX_ERRORS, RecursionError) as error:
        rule, message, hint = explain(error, variables)
        yield Diagnostic(rule, Severity.ERROR, message, locate_error(error, source, files), hint)


def undefined_names(
    source: TextSource, variables: Mapping[str, Any], files: FileTree
) -> Iterator[Diagnostic]:
    for use in find_undefined_names(source.text, source.name, variables, files=files):
        yield Diagnostic(
            "template-undefined",
            Severity.ERROR,
            f"`{truncate(use.name)}` is undefined",
            locate_in_source(source, use.template, use.line, use.column, files=files),
            explain_undefined(use.name, variables),
        )


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
    return f"for each recipient's own value write $({name}); `vars` of the project and environment define: {known}"


def explain(error: Exception, variables: Mapping[str, Any]) -> tuple[str, str, str | None]:
    """Returns the rule, message and hint for an exception raised by a template."""
    if isinstance(error, CommentError):
        return "template-syntax", f"template syntax error: {error}", error.hint
    if isinstance(error, jinja2.TemplateSyntaxError):
        message, hint = explain_syntax(error.message or "")
        return "template-syntax", f"template syntax error: {truncate(message)}", hint
    if isinstance(error, jinja2.UndefinedError):
        known = ", ".join(sorted(variables)) or "none"
        return (
            "template-undefined",
            truncate(error.message),
            f"`vars` of the project and environment define: {known}",
        )
    if isinstance(error, jinja2.TemplateNotFound):
        hint = (
            "use a path relative to this file or to the project; files outside the project cannot be included"
        )
        return "template-include", f"cannot include `{truncate(error.name)}`: no such file", hint
    if isinstance(error, ConflictError):
        return merge_conflicts.RULE, merge_conflicts.MESSAGE, merge_conflicts.HINT
    if isinstance(error, TemplateFileError):
        return "template-include", str(error), None
    if isinstance(error, OutOfTimeError):
        return "template-limit", f"rendering the template takes more than {SECONDS:g} seconds", None
    if isinstance(error, (TemplateLimitError, RecursionError, MemoryError, OverflowError)):
        return "template-limit", f"the template exceeds a limit: {truncate(error)}", None
    if isinstance(error, SecurityError):
        return (
            "template-security",
            f"the template uses something that is not allowed: {truncate(error)}",
            None,
        )
    return "template-error", f"rendering the template failed: {truncate(error) or type(error).__name__}", None
