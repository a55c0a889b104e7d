"""`where`: one boolean SQL expression over an audience's columns, checked by its syntax tree before it runs.

Columns are texts. The expression can read the columns of its row, compare, calculate and call pure functions with small
results. It cannot reach files, tables, settings or statements. A column that is compared with a number, or used in
arithmetic, is read as a number. A row for which the expression is false or NULL (an empty cell, a text that is not a
number) is not in the audience.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from math import prod
from typing import Any

from msgspec import Struct, field

from notifyctl.audience.engine import Engine, EngineError
from notifyctl.audience.readers import Chunk
from notifyctl.deadline import Deadline

Node = dict[str, Any]

MAX_TEXT = 4000
"""Characters of an expression."""
MAX_DEPTH = 60
"""Levels of nested brackets."""
MAX_CELL = 2000
"""Characters of a cell. A longer cell counts as empty."""
MAX_PATTERN = 2000
"""Characters of a regular expression, multiplied by the repetition counts in its braces."""
MAX_MADE = 50
"""Texts that the expression creates per row. The engine holds them for a few thousand rows at once."""
MAX_JOINED = 10
TWO = 2
SECONDS = 10.0
"""Time budget of an expression, in addition to SECONDS_A_CHUNK for each chunk."""
SECONDS_A_CHUNK = 0.1
"""Fifty times what most expressions take."""
MEMORY = 64 << 20


def name_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


ARITHMETIC = name_set("+ - * / // % abs round floor ceil sign greatest least")
COUNTS = name_set(
    "length strlen instr strpos position date_part datepart date_diff datediff year month day dayofweek isodow hour minute"
    " epoch unicode"
)
TEXTS = name_set(
    "~~ !~~ ~~* !~~* ~~~ like_escape not_like_escape ilike_escape not_ilike_escape || regexp_full_match regexp_matches"
    " regexp_extract lower upper trim ltrim rtrim replace substr substring left right contains starts_with ends_with"
    " prefix suffix split_part reverse strip_accents nullif ifnull concat concat_ws if"
)
TIMES = name_set(
    "date_trunc datetrunc date_add date_sub strftime strptime try_strptime make_date last_day to_years to_months to_weeks"
    " to_days to_hours to_minutes to_seconds trunc dayname monthname"
)
JOINING = name_set("|| concat concat_ws")
MAKING = JOINING | name_set(
    "lower upper trim ltrim rtrim replace substr substring left right reverse strip_accents split_part regexp_extract nullif"
    " ifnull if ~~* !~~* ilike_escape not_ilike_escape"
)
PATTERNS = name_set("regexp_full_match regexp_matches regexp_extract")
FUNCTIONS = ARITHMETIC | COUNTS | TEXTS | TIMES
"""Pure functions that do not depend on the date and whose results are no longer than their arguments."""
OPERATORS = name_set(
    "OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_COALESCE OPERATOR_NULLIF COMPARE_IN COMPARE_NOT_IN"
)
CLASSES = name_set("CONSTANT COLUMN_REF COMPARISON CONJUNCTION BETWEEN CASE FUNCTION OPERATOR CAST TYPE")
NUMERIC_TYPES = name_set("TINYINT SMALLINT INTEGER INT BIGINT HUGEINT DOUBLE FLOAT REAL DECIMAL NUMERIC")
TYPES = NUMERIC_TYPES | name_set("VARCHAR TEXT BOOLEAN BOOL DATE TIME TIMESTAMP TIMESTAMPTZ INTERVAL")
NODE_NAMES = {
    "SUBQUERY": "it holds a query of its own",
    "WINDOW": "it looks at other rows",
    "STAR": "`*` is not a value",
    "LAMBDA": "it contains a lambda",
    "PARAMETER": "it has a parameter, which has no value here",
    "COLLATE": "it orders texts by a language",
}


class Condition(Struct, frozen=True):
    """A checked expression. `sql` is a boolean or NULL over text columns; `columns` are the columns it reads."""

    sql: str
    columns: tuple[str, ...]

    def filter(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The rows for which it is true, and the unreadable ones. Raises ValueError if it takes too long."""
        allowed = SECONDS
        with small_engine() as engine:
            for chunk in chunks:
                allowed += SECONDS_A_CHUNK
                clock = Deadline(allowed)
                matching = self._matching(engine, chunk, allowed)
                allowed = clock.remaining
                unknown = chunk.broken.keys() | {at for name in self.columns for at in chunk.flaws(name)}
                yield chunk.select([at in matching or at in unknown for at in range(len(chunk))])

    def _matching(self, engine: Engine, chunk: Chunk, seconds: float) -> set[int]:
        columns = [[shorten(cell) for cell in chunk.column(name)] for name in self.columns]
        try:
            return engine.matching(self.sql, self.columns, columns, count=len(chunk), seconds=seconds)
        except EngineError as error:
            raise ValueError(str(error)) from error


def shorten(cell: str | None) -> str | None:
    return cell if cell is None or len(cell) <= MAX_CELL else None


def small_engine() -> Engine:
    """An engine without temporary files and threads, for a confined process."""
    return Engine(memory=MEMORY, threads=1, spill=False)


def compile_where(expression: str, columns: Sequence[str]) -> Condition:
    """Checks and compiles an expression, once where several read the same audience. Raises ValueError with a sentence."""
    return compile_checked(expression, tuple(columns))


@lru_cache(maxsize=64)
def compile_checked(expression: str, columns: tuple[str, ...]) -> Condition:
    if len(expression) > MAX_TEXT:
        raise ValueError(f"it has {len(expression):,} characters; {MAX_TEXT:,} are allowed")
    if nesting_depth(expression) > MAX_DEPTH:
        raise ValueError(f"it has more than {MAX_DEPTH} brackets inside of each other")
    with small_engine() as engine:
        try:
            node = parse_expression(engine, expression)
            checker = ExpressionChecker({name.lower(): name for name in columns})
            holder = {"expression": node}
            checker.check(node)
            checker.rewrite(holder, engine)
            text, used = to_sql(engine, holder["expression"]), tuple(sorted(checker.used))
            # A run over no rows reports errors such as an invalid pattern, which TRY would turn into NULL.
            engine.matching(text, used, [[] for _ in used], count=0, seconds=SECONDS)
        except EngineError as error:
            raise ValueError(str(error)) from error
        except RecursionError as error:
            raise ValueError("it has too many parts inside of each other") from error
    return Condition(f"TRY({text})", used)


def nesting_depth(text: str) -> int:
    depth = most = 0
    for bracket in re.findall(r"[()]", text):
        depth += 1 if bracket == "(" else -1
        most = max(most, depth)
    return most


def parse_expression(engine: Engine, expression: str) -> Node:
    """The syntax tree of one expression. Raises EngineError, or ValueError for more than one expression."""
    if ";" in expression or "--" in expression or "/*" in expression:
        raise ValueError("a `where` is one expression: no `;` and no comment")
    if not expression.strip():
        raise ValueError("it is empty")
    # The brackets keep the expression from adding clauses; the checks below catch one that closes them.
    tree = engine.syntax(f"SELECT (\n{expression}\n) FROM people")  # noqa: S608 - read, and not run
    [node] = [statement["node"] for statement in tree["statements"]]
    bare = engine.syntax("SELECT 1 FROM people")["statements"][0]["node"]
    found = node.get("select_list", ())
    if node.get("type") != "SELECT_NODE" or len(found) != 1 or found[0].get("alias"):
        raise ValueError("a `where` is one expression")
    if any(without_place(node[key]) != without_place(bare[key]) for key in bare if key != "select_list"):
        raise ValueError("a `where` is one expression, without clauses")
    expression_node: Node = found[0]
    return expression_node


def without_place(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: without_place(value) for key, value in node.items() if not key.startswith("query_location")
        }
    return [without_place(each) for each in node] if isinstance(node, list) else node


def to_sql(engine: Engine, node: Node) -> str:
    """The SQL of a syntax tree."""
    tree = engine.syntax("SELECT 1 FROM people")
    tree["statements"][0]["node"]["select_list"] = [node]
    text = engine.text(tree)
    return text.removeprefix("SELECT ").removesuffix(" FROM people")


class ExpressionChecker(Struct):
    """Checks one syntax tree. `columns`: lower-case name → name."""

    columns: Mapping[str, str]
    used: set[str] = field(default_factory=set)
    made: int = 0
    joined: int = 0

    def check(self, node: Any) -> None:
        """Checks a node and everything below it. Raises ValueError for the first part that is not allowed."""
        if isinstance(node, list):
            for each in node:
                self.check(each)
        elif isinstance(node, dict):
            if "class" in node:
                self._judge(node)
            for each in node.values():
                self.check(each)

    def _judge(self, node: Node) -> None:
        kind = node["class"]
        if kind not in CLASSES:
            raise ValueError(
                f"{NODE_NAMES.get(kind, f'it has a part that is not known here ({kind})')}: that is not allowed"
            )
        if kind == "COLUMN_REF":
            self._column(node["column_names"])
        if kind == "FUNCTION":
            function_name(node)
            self.measure(node)
        if kind == "OPERATOR" and node["type"] not in OPERATORS:
            raise ValueError(f"the operator {node['type']} is not allowed")
        if kind == "TYPE" and (node["type_name"].upper() not in TYPES):
            raise ValueError(
                f"the type {node['type_name']} is not allowed; there are: {', '.join(sorted(TYPES))}"
            )

    def measure(self, node: Node) -> None:
        name = node["function_name"].lower()
        self.made += name in MAKING
        self.joined += len(node["arguments"]) if name in JOINING else 0
        if self.made > MAX_MADE or self.joined > MAX_JOINED:
            raise ValueError(
                f"it makes too many texts of each row: {MAX_MADE}, joined of {MAX_JOINED} parts, are allowed"
            )

    def _column(self, names: Sequence[str]) -> None:
        found = self.columns.get(names[0].lower()) if len(names) == 1 else None
        if found is None:
            raise ValueError(
                f"there is no column {'.'.join(names)!r}; there are: {', '.join(self.columns.values())}"
            )
        self.used.add(found)

    def rewrite(self, node: Any, engine: Engine) -> None:
        """Casts columns to numbers where they are compared or calculated with numbers."""
        if isinstance(node, list):
            for each in node:
                self.rewrite(each, engine)
        if not isinstance(node, dict):
            return
        for each in node.values():
            self.rewrite(each, engine)
        places = operands(node)
        if any(is_number(holder[key]) for holder, key in places) or node.get("function_name") in ARITHMETIC:
            for holder, key in places:
                if is_text(holder[key]):
                    holder[key] = as_number(holder[key], engine)


def function_name(node: Node) -> None:
    name = node["function_name"].lower()
    if name not in FUNCTIONS:
        raise ValueError(f"the function {name!r} is not allowed")
    if name == "replace":
        _, *texts = [text_of(each["expression"]) for each in node["arguments"]]
        old, new = texts if len(texts) == TWO else (None, None)
        if not old or new is None or len(new) > len(old):
            raise ValueError(
                "`replace` takes two texts here, of which the second is no longer than the first"
            )
    if name in PATTERNS:
        _, pattern, *_ = [text_of(each["expression"]) for each in node["arguments"]]
        if pattern is None:
            raise ValueError("a regular expression must be written out, not built from cells")
        counts = [int(count) for count in re.findall(r"(?<=[{,])[0-9]+(?=})", pattern)]
        if len(pattern) * prod(counts) > MAX_PATTERN:
            raise ValueError("the regular expression may take too long: it is long, or repeats too much")


def text_of(node: Node) -> str | None:
    literal = node.get("literal", {})
    return str(literal["text"]) if literal.get("kind") == "STRING" else None


def operands(node: Node) -> list[tuple[Any, Any]]:
    """The operands of a comparison or calculation, as (container, key)."""
    match node.get("class"):
        case "COMPARISON":
            return [(node, "left"), (node, "right")]
        case "BETWEEN":
            return [(node, "input"), (node, "lower"), (node, "upper")]
        case "OPERATOR" if node["type"] in {"COMPARE_IN", "COMPARE_NOT_IN"}:
            return [(node["children"], at) for at in range(len(node["children"]))]
        case "FUNCTION" if node["function_name"] in ARITHMETIC:
            return [(each, "expression") for each in node["arguments"]]
    return []


def is_number(node: Node) -> bool:
    match node.get("class"):
        case "CONSTANT":
            return node["literal"]["kind"] in {"INTEGER", "NUMERIC"}
        case "FUNCTION":
            return node["function_name"] in ARITHMETIC | COUNTS
        case "CAST":
            return node["type_expr"]["type_name"].upper() in NUMERIC_TYPES
    return False


def is_text(node: Node) -> bool:
    return node.get("class") == "COLUMN_REF" or node.get("function_name") in TEXTS


def as_number(node: Node, engine: Engine) -> Node:
    made: Node = engine.syntax("SELECT TRY_CAST(x AS DOUBLE)")["statements"][0]["node"]["select_list"][0]
    return {**made, "child": node}
