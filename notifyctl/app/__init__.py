"""The composition root: the only room that names concrete adapters and reads the process environment.

Each function here is one use case that a command connects to a view. What is heavy (database, HTTP, templates) is
imported where it is used, so that a command pays only for what it needs.
"""
