"""Formats YAML files by moving their lines; values, quotes, comments and long lines stay as written.

Nothing is dumped from parsed values, because a dumper joins lines, drops comments in brackets and the + of
+447700900123. Lines are shifted, reordered and trimmed, and the result is parsed again as a check.
"""
