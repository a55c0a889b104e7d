"""The command line: one file per command, which parses, calls `app`, hands data to a view and returns an exit code."""
