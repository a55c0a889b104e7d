"""One form for YAML files, by moving the author's own characters: no value, quote, comment or long line is written anew.

Nothing is dumped from values, because a dumper writes what it understood: it joins lines, drops comments inside of
brackets and the + of +447700900123. Here lines are shifted, reordered and trimmed, and the result is read again.
"""
