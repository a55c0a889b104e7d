"""What can be found wrong before anything is planned: no ledger, no network, no secret, no clock.

`project.py` composes everything once and runs the checks; a check is a function from what was composed to diagnostics.
"""
