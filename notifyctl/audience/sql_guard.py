"""Queries on DuckDB files, checked by their syntax trees before they run.

Some functions of the engine create gigabytes of text and cannot be interrupted, so only functions with small results are
allowed. The definitions of views are checked too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from notifyctl.audience.engine import ATTACHED, Engine, EngineError, literal
from notifyctl.audience.where import FUNCTIONS, PATTERNS, ExpressionChecker, function_name, name_set

AGGREGATES = name_set(
    "count count_star sum avg min max first last any_value arg_min arg_max min_by max_by bool_and bool_or median mode string_agg"
    " array_agg list"
)
WINDOWS = name_set("row_number rank dense_rank percent_rank ntile lag lead first_value last_value nth_value")
ON_ROWS = name_set(
    "now today get_current_timestamp current_date current_timestamp age md5 sha256 unnest string_split str_split list_contains"
    " array_extract list_extract struct_extract json_extract json_extract_string -> ->> regexp_replace to_timestamp mod pow"
    " power sqrt list_value row struct_pack time_bucket quarter week"
)
SERIES = name_set("range generate_series unnest")
"""Allowed as tables only: as lists they would be held in memory."""
ALLOWED = FUNCTIONS | AGGREGATES | WINDOWS | ON_ROWS
MAX_NEW = 10
"""Characters of the replacement in `regexp_replace`."""
GENERATED = re.compile(r"\bGENERATED\s+ALWAYS\b", re.IGNORECASE)


def check_query(select: str, database: str) -> None:
    """Raises EngineError with a sentence if a query on a DuckDB file is not allowed."""
    with Engine(database=database, threads=1) as engine:
        within = f"WHERE database_name = {literal(ATTACHED)}"
        views: dict[str, str] = dict(
            engine.rows(f"SELECT lower(view_name), sql FROM duckdb_views() {within} AND NOT internal")
        )
        tables: dict[str, str] = dict(
            engine.rows(f"SELECT lower(table_name), sql FROM duckdb_tables() {within}")
        )
        own = engine.rows(f"SELECT lower(function_name) FROM duckdb_functions() {within}")
        checker = QueryChecker(frozenset(name for (name,) in own))
        waiting, seen = [select.strip().rstrip(";")], set[str]()
        while waiting:
            for name in checker.check(engine.syntax(waiting.pop())):
                if GENERATED.search(tables.get(name, "")):
                    raise EngineError(f"the table {name!r} has a generated column, which is not supported")
                if name in views and name not in seen:
                    seen.add(name)
                    waiting.append(view_definitions(views[name]))


def view_definitions(view: str) -> str:
    """The query of `CREATE VIEW name (columns) AS query;`."""
    found = re.fullmatch(
        r'CREATE VIEW (?:"(?:[^"]|"")*"|[\w.])+\s*(?:\([^)]*\))?\s*AS\s+(.*?);?\s*',
        view,
        re.IGNORECASE | re.DOTALL,
    )
    if found is None:
        raise EngineError("it uses a view whose definition cannot be parsed")
    return found[1]


class QueryChecker:
    """Checks one query and the views it reads."""

    def __init__(self, own: frozenset[str] = frozenset()) -> None:
        """`own`: functions defined in the file, which could shadow the engine's."""
        self.allowed = ALLOWED - own
        self.reading = ExpressionChecker({})

    def check(self, tree: Any) -> Iterator[str]:
        """The tables that a syntax tree refers to, in lower case. Raises EngineError if part of it is not allowed."""
        waiting: list[tuple[Any, bool]] = [(tree, False)]
        while waiting:
            node, table = waiting.pop()
            if isinstance(node, list):
                waiting += [(each, table) for each in node]
            elif isinstance(node, dict):
                self._judge(node, table=table)
                if node.get("type") == "BASE_TABLE":
                    yield str(node["table_name"]).lower()
                waiting += [(each, node.get("type") == "TABLE_FUNCTION") for each in node.values()]

    def _judge(self, node: Mapping[str, Any], *, table: bool) -> None:
        if node.get("type") == "RECURSIVE_CTE_NODE":
            raise EngineError("recursive queries are not allowed")
        if node.get("class") == "LAMBDA":
            raise EngineError("lambdas are not allowed")
        name = str(node.get("function_name", "")).lower()
        if not name or (table and name in SERIES):
            return
        if name not in self.allowed:
            raise EngineError(f"the function {name!r} is not allowed")
        try:
            if node.get("class") == "FUNCTION":
                self._measure(dict(node), name)
        except ValueError as error:
            raise EngineError(str(error)) from error

    def _measure(self, node: dict[str, Any], name: str) -> None:
        self.reading.measure(node)
        if name == "regexp_replace":
            arguments = [each["expression"].get("literal", {}).get("text") for each in node["arguments"]]
            if arguments[2] is None or len(str(arguments[2])) > MAX_NEW:
                raise ValueError(f"`regexp_replace` writes a text of at most {MAX_NEW} characters here")
            function_name({**node, "function_name": next(iter(PATTERNS)), "arguments": node["arguments"][:2]})
        elif name in FUNCTIONS:
            function_name(node)
