"""The Jinja2 sandbox: undefined variables are errors, includes stay in the project, size and loops are limited."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from posixpath import dirname, join, normpath
from typing import Any

import jinja2
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from notifyctl import merge_conflicts
from notifyctl.merge_conflicts import find_conflict
from notifyctl.message.fast_render import ESCAPED
from notifyctl.message.foreign_tags import refuse_numbered
from notifyctl.message.jinja_comments import mask_text
from notifyctl.message.render_limits import MAX_TEXT, run_bounded
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


class ConflictError(TemplateFileError):
    """A file to include has an unresolved merge conflict."""

    def __init__(self, name: str, line: int) -> None:
        super().__init__(merge_conflicts.MESSAGE)
        self.name, self.lineno = name, line


class StrictComments(Extension):
    """Refuses or masks what Jinja2 would take for a comment or a number of its own, in included files as well."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        if "{{" in source:
            refuse_numbered(source)
        return mask_text(source, name) if "{#" in source else source


class Sandbox(ImmutableSandboxedEnvironment):
    """A Jinja2 environment for untrusted templates. Template names are project paths; a string in a YAML file is named
    `file.yaml#content.text`.
    """

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, files: FileTree, extensions: Sequence[type[Extension]] = ()) -> None:
        super().__init__(
            loader=jinja2.FunctionLoader(self._load),
            undefined=jinja2.StrictUndefined,
            autoescape=lambda name: bool(name and name.endswith(ESCAPED)),
            keep_trailing_newline=True,
            cache_size=0,
            extensions=[StrictComments, *extensions],
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

    def _load(self, name: str) -> tuple[str, str, None] | None:
        """The source of a template, and its name as the file name of its tracebacks."""
        source = self.source_of(name)
        return None if source is None else (source, name, None)

    def source_of(self, name: str) -> str | None:
        self.includes += 1
        if self.includes > MAX_INCLUDES:
            raise TemplateLimitError(f"more than {MAX_INCLUDES} includes; does a file include itself?")
        try:
            source = decode_utf8(self.files.read(name))
        except NotUtf8Error as error:
            place = f"{name}:{error.line}:{error.column}"
            raise TemplateFileError(f"{place}: {error}; {error.hint}") from error
        except (FileNotFoundError, ValueError):
            return None
        except OSError as error:
            raise TemplateFileError(f"{name} cannot be read: {error.strerror}") from error
        if (conflict := find_conflict(source)) is not None:
            raise ConflictError(name, source.count("\n", 0, conflict) + 1)
        return source

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
    return lambda source, name, variables: render(Sandbox(files), source, name, variables)


def render(sandbox: Sandbox, source: str, name: str, variables: Mapping[str, Any]) -> str:
    """Renders a template in a sandbox of its own."""
    with run_bounded():
        code = sandbox.compile(source, name=name, filename=name)
        template = jinja2.Template.from_code(sandbox, code, sandbox.make_globals(None))
        size, parts = 0, []
        for part in template.generate(dict(variables)):
            size += len(part)
            if size > MAX_TEXT:
                raise TemplateLimitError(f"a text of more than {MAX_TEXT:,} characters")
            parts.append(part)
        return "".join(parts)
