"""The command line: one module per command. A command parses options, calls `app`, prints a view and returns an exit
code.
"""
