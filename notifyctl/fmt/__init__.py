"""Formats YAML files by moving the author's own characters: no value, quote, comment or long line is rewritten.

Nothing is dumped from parsed values, because a dumper joins lines, drops comments inside brackets and drops the +
of +447700900123. Lines are shifted, reordered and trimmed, and the result is parsed again as a check.
"""
