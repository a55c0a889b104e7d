"""The Jinja2 sandbox: undefined variables are errors, includes stay in the project, size and loops are limited."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from posixpath import dirname, join, normpath
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from notifyctl.diagnostics import truncate
from notifyctl.message.fast_render import ESCAPED
from notifyctl.message.jinja_comments import CommentError, mask_text
from notifyctl.message.render_limits import MAX_TEXT, SECONDS, OutOfTimeError, run_bounded
from notifyctl.model.written_values import WrittenBool, plain
from notifyctl.ports import FileTree
from notifyctl.text_encoding import NotUtf8Error, decode_utf8

MAX_STEPS = 200_000
"""Maximum total length of all `range()` calls in one rendering."""
MAX_INCLUDES = 50
MAX_POWER = 1000


TESTS_OF_BOOLEANS: Mapping[str, Callable[..., bool]] = {
    "boolean": lambda value: isinstance(value, (bool, WrittenBool)),
    "true": lambda value: plain(value) is True,
    "false": lambda value: plain(value) is False,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, (bool, WrittenBool)),
    "sameas": lambda value, other: (
        plain(value) is plain(other) if isinstance(other, bool) else value is other
    ),
}
"""Jinja2's tests that look for Python's own True and False."""


class TemplateLimitError(Exception):
    """A template exceeds a limit."""


class TemplateFileError(Exception):
    """A file to include exists but cannot be read."""


class StrictComments(Extension):
    """Makes every source safe for Jinja2's own comments, included files as well."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        return mask_text(source, name) if "{#" in source else source


class Sandbox(ImmutableSandboxedEnvironment):
    """A Jinja2 environment for untrusted templates. Template names are project paths; a string in a YAML file is named
    `file.yaml#content.text`.
    """

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, files: FileTree) -> None:
        super().__init__(
            loader=jinja2.FunctionLoader(self._source),
            undefined=jinja2.StrictUndefined,
            autoescape=lambda name: bool(name and name.endswith(ESCAPED)),
            keep_trailing_newline=True,
            cache_size=0,
            extensions=[StrictComments],
        )
        self.tests.update(TESTS_OF_BOOLEANS)
        self.policies["json.dumps_function"] = lambda value, **options: json.dumps(plain(value), **options)
        self.files = files
        self.steps = self.includes = 0
        self.globals = {"range": self._range, "smartlink": smartlink}

    def join_path(self, template: str, parent: str) -> str:
        """Resolves an include relative to the including file, otherwise to the project's root."""
        relative = normpath(join(dirname(parent.partition("#")[0]), template))
        return relative if self._readable(relative) else normpath(template)

    def _readable(self, path: str) -> bool:
        try:
            self.files.open(path).close()
        except (FileNotFoundError, ValueError):
            return False
        except OSError:
            return True  # it exists; `_source` reports why it cannot be read
        return True

    def _source(self, name: str) -> str | None:
        self.includes += 1
        if self.includes > MAX_INCLUDES:
            raise TemplateLimitError(f"more than {MAX_INCLUDES} includes; does a file include itself?")
        try:
            return decode_utf8(self.files.read(name))
        except NotUtf8Error as error:
            place = f"{name}:{error.line}:{error.column}"
            raise TemplateFileError(f"{place}: {error}; {error.hint}") from error
        except (FileNotFoundError, ValueError):
            return None
        except OSError as error:
            raise TemplateFileError(f"{name} cannot be read: {error.strerror}") from error

    def _range(self, *bounds: int) -> range:
        numbers = range(*bounds)
        self.steps += len(numbers)
        if self.steps > MAX_STEPS:
            raise TemplateLimitError(f"loops of more than {MAX_STEPS:,} steps")
        return numbers

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        sized = [value for value in (left, right) if isinstance(value, (str, list, tuple))]
        numbers = [value for value in (left, right) if isinstance(value, int)]
        if operator == "*" and sized and numbers and len(sized[0]) * numbers[0] > MAX_TEXT:
            raise TemplateLimitError(f"a text of more than {MAX_TEXT:,} characters")
        if operator == "**" and any(abs(number) > MAX_POWER for number in numbers):
            raise TemplateLimitError(f"a power with a number over {MAX_POWER:,}")
        if operator == "%" and isinstance(left, str):
            raise TemplateLimitError("`%` on a text can ask for any width; use `~` to join")
        return super().call_binop(context, operator, left, right)


def smartlink(number: int) -> Markup:
    """Returns the placeholder of a smart link, which the API replaces (rule 65)."""
    return Markup("{{smartlink_%d}}") % int(number)


def make_renderer(files: FileTree) -> Callable[[str, str, Mapping[str, Any]], str]:
    """Returns a function (source, name, variables) → text. `explain` describes its errors."""

    def render(source: str, name: str, variables: Mapping[str, Any]) -> str:
        with run_bounded():
            return render_unbounded(source, name, variables)

    def render_unbounded(source: str, name: str, variables: Mapping[str, Any]) -> str:
        sandbox = Sandbox(files)
        code = sandbox.compile(source, name=name, filename=name)
        template = jinja2.Template.from_code(sandbox, code, sandbox.make_globals(None))
        size, parts = 0, []
        for part in template.generate(dict(variables)):
            size += len(part)
            if size > MAX_TEXT:
                raise TemplateLimitError(f"a text of more than {MAX_TEXT:,} characters")
            parts.append(part)
        return "".join(parts)

    return render


def find_undefined(error: Exception, source: str, variables: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The names that a text reads and nothing defines, each with the first line that reads it, in that order.

    Empty unless the error is that one of them is undefined: included files are not read.
    """
    if not isinstance(error, jinja2.UndefinedError):
        return []
    tree = jinja2.Environment(extensions=[StrictComments], autoescape=True).parse(source)
    undefined = find_undeclared_variables(tree) - set(variables) - {"range", "smartlink"}
    lines: dict[str, int] = {}
    for node in tree.find_all(jinja2.nodes.Name):
        if node.name in undefined:
            lines[node.name] = min(node.lineno, lines.get(node.name, node.lineno))
    if not any(repr(name) in str(error.message) for name in lines):
        return []
    return sorted(lines.items(), key=lambda found: (found[1], found[0]))


def explain_undefined(name: str, variables: Mapping[str, Any]) -> str:
    known = ", ".join(sorted(variables)) or "none"
    return (
        f"a value for each reader is written $({name}); `vars` of the project or environment define: {known}"
    )


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
