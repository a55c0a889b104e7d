"""Parses the project's YAML files and builds the model. `load_project` in `load.py` is the entry point.

Stages: `reader` (bytes → nodes with positions), `check` (nodes → values, by the shapes in `kinds` and in the
channels), `model_builder` (values → model objects) and `resolve_references` (names → objects). `jsonschema` writes
the JSON Schemas from the same shapes. Nothing here sends, plans or reads secrets.
"""
