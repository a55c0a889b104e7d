"""Generates JSON Schemas (draft 2020-12) of all kinds of documents from the shapes that the loader uses.

For editors and validators. The schemas accept what YAML parsers produce from valid files, for example unquoted
numbers as text. Rules between documents and calendar rules are checked by the loader only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from notifyctl.config.documents import document_shapes
from notifyctl.config.fields import (
    LARGEST,
    Boolean,
    Cases,
    ChannelShape,
    Choice,
    Either,
    Free,
    Integer,
    Items,
    Number,
    Record,
    Shape,
    Table,
    Text,
    Written,
)
from notifyctl.config.kinds.shared_fields import API_VERSION
from notifyctl.config.nodes import resolve_scalar

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
CHARACTERS: Schema = {
    "description": "Text. Numbers and booleans without quotes are also read as text.",
    "type": ["string", "number", "boolean"],
}


def build_schemas(channels: Sequence[ChannelShape]) -> dict[str, Schema]:
    """Returns file name → schema: `notifyctl.json` for documents of any kind, and one per kind in lower case."""
    kinds = document_shapes(channels)
    schemas = {"notifyctl.json": any_kind_schema(kinds)}
    for kind, shape in kinds.items():
        writer = SchemaWriter()
        body = writer.schema(shape)
        schemas[f"{kind.lower()}.json"] = {
            "$schema": DIALECT,
            "title": f"notifyctl {kind}",
            **body,
            "$defs": writer.definitions_by_name(),
        }
    return schemas


def any_kind_schema(kinds: Mapping[str, Shape]) -> Schema:
    """Selects a schema by `kind`, so that editors report errors of that kind instead of "no kind matches"."""
    writer = SchemaWriter()
    branches = [if_equals("kind", kind, writer.schema(shape)) for kind, shape in kinds.items()]
    return {
        "$schema": DIALECT,
        "title": "notifyctl document",
        "description": f"A document of a notifyctl project, format {API_VERSION}.",
        "type": "object",
        "required": ["apiVersion", "kind"],
        "properties": {
            "apiVersion": {"const": API_VERSION, "description": "Version of this format."},
            "kind": {"enum": list(kinds), "description": "Kind of this document."},
        },
        "allOf": branches,
        "$defs": writer.definitions_by_name(),
    }


def render_schema(schema: Schema) -> str:
    """Serialises a schema as JSON text, identical on every machine."""
    return json.dumps(schema, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def if_equals(key: str, value: str, then: Schema) -> Schema:
    condition = {"properties": {key: {"const": value}}, "required": [key]}
    return {"if": condition, "then": then}


def anchor_pattern(pattern: str) -> str:
    return f"^(?:{pattern})$"


class SchemaWriter:
    """Converts shapes to schemas. Each record becomes one entry of `$defs`, named by its title."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def definitions_by_name(self) -> dict[str, Schema]:
        return dict(sorted(self.definitions.items()))

    def schema(self, shape: Shape) -> Schema:
        about: Schema = {"description": shape.description} if shape.description else {}
        if shape.examples:
            about["examples"] = list(shape.examples)
        return {**about, **WRITERS[type(shape)](self, shape)}

    def reference(self, title: str, definition: Schema) -> Schema:
        """Returns a `$ref` to the definition. Different definitions with the same title are numbered."""
        slug = re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-") or "object"
        name, number = slug, 2
        while self.definitions.setdefault(name, definition) != definition:
            name, number = f"{slug}-{number}", number + 1
        return {"$ref": f"#/$defs/{name}"}

    def text(self, shape: Text) -> Schema:
        schema = self.reference("characters", CHARACTERS)
        if shape.composed:
            return schema
        if shape.min_length:
            schema["minLength"] = shape.min_length
        if shape.max_length is not None:
            schema["maxLength"] = shape.max_length
        if shape.pattern is not None:
            schema["pattern"] = anchor_pattern(shape.pattern)
        return schema

    def choice(self, shape: Choice) -> Schema:
        numbers = [
            resolve_scalar(value) for value in shape.values if not isinstance(resolve_scalar(value), str)
        ]
        listed: Schema = {"enum": [*shape.values, *numbers]}
        if not shape.fold:
            return listed
        return {
            "anyOf": [
                listed,
                {
                    "type": "string",
                    "pattern": anchor_pattern("|".join(map(ignore_case_pattern, shape.values))),
                },
            ]
        }

    def integer(self, shape: Integer) -> Schema:
        if not shape.strings:
            return {"type": "integer", **range_keywords(shape)}
        if shape.minimum is not None and shape.maximum is not None:
            numbers = range(shape.minimum, shape.maximum + 1)
            return {"enum": [*numbers, *map(str, numbers)]}
        return {"type": ["integer", "string"], "pattern": "^[0-9]+$", **range_keywords(shape)}

    def number(self, shape: Number) -> Schema:
        return {"type": "number", **range_keywords(shape)}

    def boolean(self, shape: Boolean) -> Schema:
        return {"enum": [True, False, "true", "false"]} if shape.strings else {"type": "boolean"}

    def free(self, _shape: Free) -> Schema:
        return {}

    def written(self, _shape: Written) -> Schema:
        return {"not": {"type": "null"}}

    def items(self, shape: Items) -> Schema:
        item = self.schema(shape.item)
        listed: Schema = {"type": "array", "items": item}
        if shape.min_items:
            listed["minItems"] = shape.min_items
        if shape.max_items is not None:
            listed["maxItems"] = shape.max_items
        if shape.unique:
            listed["uniqueItems"] = True
        return {"if": {"type": "array"}, "then": listed, "else": item} if shape.single else listed

    def table(self, shape: Table) -> Schema:
        schema: Schema = {"type": "object", "additionalProperties": self.schema(shape.value)}
        if shape.keys is not None:
            schema["propertyNames"] = {"pattern": anchor_pattern(shape.keys)}
        return schema

    def record(self, shape: Record) -> Schema:
        schema: Schema = {"title": shape.title, "type": "object", "properties": self.properties(shape)}
        required = [field.name for field in shape.fields if field.required and not field.aliases]
        if required and not shape.partial:
            schema["required"] = required
        if shape.needs and not shape.partial:
            schema["dependentRequired"] = {
                name: [other] for name, other in shape.needs if isinstance(other, str)
            }
        if conditions := presence_conditions(shape):
            schema["allOf"] = conditions
        schema["additionalProperties"] = False
        return self.reference(shape.title, schema)

    def properties(self, shape: Record) -> dict[str, Schema]:
        properties: dict[str, Schema] = {}
        for field in shape.fields:
            schema = self.schema(field.shape)
            if field.profile is not None:
                schema["description"] = field.description
            if field.default is not None:
                schema["default"] = field.default
            properties |= dict.fromkeys((field.name, *field.aliases), schema)
        return properties

    def cases(self, shape: Cases) -> Schema:
        chooser = self.schema(Choice(values=tuple(shape.cases), description=f"Kind of {shape.title}."))
        definition: Schema = {
            "title": shape.title,
            "type": "object",
            "required": [shape.by],
            "properties": {shape.by: chooser},
            "allOf": [if_equals(shape.by, case, self.schema(record)) for case, record in shape.cases.items()],
        }
        return self.reference(shape.title, definition)

    def either(self, shape: Either) -> Schema:
        return {"if": {"type": "object"}, "then": self.schema(shape.mapping), "else": self.schema(shape.text)}


def presence_conditions(shape: Record) -> list[Schema]:
    """Returns the conditions for required and mutually exclusive keys."""
    spellings = {field.name: (field.name, *field.aliases) for field in shape.fields}
    conditions: list[Schema] = []
    if not shape.partial:
        aliased = [spellings[f.name] for f in shape.fields if f.required and f.aliases]
        groups = [*aliased, *shape.exactly_one, *shape.at_least_one]
        conditions += [require_one(group) for group in groups]
        conditions += [
            {"if": {"required": [name]}, "then": require_one(others)}
            for name, others in shape.needs
            if not isinstance(others, str)
        ]
    exclusive = [
        *(names for names in spellings.values() if len(names) > 1),
        *shape.exactly_one,
        *shape.at_most_one,
    ]
    for group in exclusive:
        pairs = [(one, other) for i, one in enumerate(group) for other in group[i + 1 :]]
        conditions += [{"not": {"required": list(pair)}} for pair in pairs]
    return conditions


def require_one(keys: tuple[str, ...]) -> Schema:
    return {"anyOf": [{"required": [key]} for key in keys]}


def range_keywords(shape: Integer | Number) -> Schema:
    largest = LARGEST if shape.maximum is None and isinstance(shape, Integer) else shape.maximum
    limits = {"minimum": shape.minimum, "maximum": largest}
    return {key: value for key, value in limits.items() if value is not None}


def ignore_case_pattern(word: str) -> str:
    """Returns a pattern that matches letters, digits and spaces in any case; JSON Schema patterns have no flag for it."""
    return "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else c for c in word)


WRITERS: dict[type[Shape], Callable[[SchemaWriter, Any], Schema]] = {
    Text: SchemaWriter.text,
    Choice: SchemaWriter.choice,
    Integer: SchemaWriter.integer,
    Number: SchemaWriter.number,
    Boolean: SchemaWriter.boolean,
    Free: SchemaWriter.free,
    Written: SchemaWriter.written,
    Items: SchemaWriter.items,
    Table: SchemaWriter.table,
    Record: SchemaWriter.record,
    Cases: SchemaWriter.cases,
    Either: SchemaWriter.either,
}
