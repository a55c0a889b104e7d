"""Who should get what, minus who already did: a pure function of project, audiences, ledger facts and a moment.

Nothing here opens a file, a ledger or a connection. The plan is plain, sorted data and the only input of apply.
"""
