"""Who should get what, minus who already did: a pure function of project, audiences, ledger records and a moment.

Nothing here opens a project's file, a ledger or a connection; what a plan of many people needs only later waits in a nameless
temporary file (`spool`). The plan is plain, sorted data and the only input of apply.
"""
