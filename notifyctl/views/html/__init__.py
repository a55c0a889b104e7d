"""Messages as people see them: one self-contained HTML page, without a network and without a script of others."""
