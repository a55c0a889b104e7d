"""All names that a template and the files it includes use and nothing defines, each at every place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.meta import find_undeclared_variables
from msgspec import Struct

from notifyctl.message.broken_tags import blank_broken_tags
from notifyctl.message.jinja import Sandbox, TemplateFileError, TemplateLimitError
from notifyctl.message.jinja_comments import CommentError, find_tags
from notifyctl.message.source_map import position_of
from notifyctl.ports import FileTree

QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)
IMPLICIT = frozenset({"loop", "self", "super", "caller", "varargs", "kwargs"})
"""Names that Jinja2 defines in some places."""
ASKING_TESTS = frozenset({"defined", "undefined"})
ASKING_FILTERS = frozenset({"default", "d"})


class UndefinedName(Struct, frozen=True, order=True):
    """A use of a name: in which template, and where."""

    template: str
    line: int
    column: int
    name: str


def find_undefined_names(
    source: str, name: str, variables: Mapping[str, Any], *, files: FileTree
) -> list[UndefinedName]:
    """`source` is the template `name`. A name that any of the files sets, or asks for before it uses it, is left out."""
    sandbox = Sandbox(files)
    sources, trees = read_templates(sandbox, source, name)
    blanked = {template: blank_broken_tags(text) for template, text in sources.items()}
    known = set(variables) | set(sandbox.globals) | IMPLICIT
    for tree in trees.values():
        known.update(set_names(tree))
        known.update(asked_names(tree))
    return sorted(
        use
        for template, tree in trees.items()
        for undefined in find_undeclared_variables(tree) - known
        for use in find_uses(blanked[template], template, undefined)
    )


def read_templates(
    sandbox: Sandbox, source: str, name: str
) -> tuple[dict[str, str], dict[str, nodes.Template]]:
    """The template and all that it includes, extends or imports by a name that is written out: sources and, where tags of
    other languages apart they can be read, syntax trees.
    """
    sources: dict[str, str] = {name: source}
    trees: dict[str, nodes.Template] = {}
    waiting = [name]
    while waiting:
        template = waiting.pop()
        try:
            trees[template] = sandbox.parse(blank_broken_tags(sources[template]), template, template)
        except (TemplateError, CommentError, RecursionError):
            continue
        for included in included_names(trees[template]):
            path = sandbox.join_path(included, template)
            if path not in sources:
                try:
                    text = sandbox.source_of(path)
                except (TemplateFileError, TemplateLimitError):
                    continue
                if text is not None:
                    sources[path] = text
                    waiting.append(path)
    return sources, trees


def included_names(tree: nodes.Template) -> Iterator[str]:
    """Names of templates that are written out, alone or in a list."""
    for expression in (
        *(node.template for node in tree.find_all(nodes.Extends)),
        *(node.template for node in tree.find_all(nodes.Include)),
        *(node.template for node in tree.find_all(nodes.Import)),
        *(node.template for node in tree.find_all(nodes.FromImport)),
    ):
        for constant in (
            [expression] if isinstance(expression, nodes.Const) else expression.find_all(nodes.Const)
        ):
            if isinstance(constant.value, str):
                yield constant.value


def set_names(tree: nodes.Template) -> Iterator[str]:
    """Names that a template gives a value anywhere: an included file sees them."""
    yield from (node.name for node in tree.find_all(nodes.Name) if node.ctx != "load")
    yield from (node.name for node in tree.find_all(nodes.Macro))
    yield from (node.target for node in tree.find_all(nodes.Import))
    for node in tree.find_all(nodes.FromImport):
        yield from (name if isinstance(name, str) else name[1] for name in node.names)


def asked_names(tree: nodes.Template) -> Iterator[str]:
    """Names that may be undefined: `x is defined`, `x | default(…)`."""
    for node in tree.find_all((nodes.Test, nodes.Filter)):
        asking = ASKING_TESTS if isinstance(node, nodes.Test) else ASKING_FILTERS
        if node.name in asking and isinstance(node.node, nodes.Name):
            yield node.node.name


def find_uses(source: str, template: str, name: str) -> Iterator[UndefinedName]:
    """The places of a name in the tags of a template."""
    use = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w|\s*=(?!=))")
    for start, end in find_tags(source):
        tag = QUOTED.sub(lambda quoted: " " * len(quoted[0]), source[start:end])
        for found in use.finditer(tag):
            line, column = position_of(source, start + found.start())
            yield UndefinedName(template, line, column, name)
