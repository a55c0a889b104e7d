"""YAML in, model out: the only room that reads YAML. `load_project` in `load.py` is its door.

reader (bytes → nodes with places) → check (nodes → values, by the shapes of `kinds` and the channels) → build → link.
`jsonschema.py` writes the schemas from the same shapes. Nothing here sends, plans or knows an environment's secrets.
"""
