"""The use cases, one module per command, and the composition root: only here are concrete adapters named.

A command calls one function here and hands the result to a view. Heavy imports (database, HTTP, templates) happen
inside the functions that need them.
"""
