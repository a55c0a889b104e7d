"""What can be found wrong before anything is planned: no ledger, no network, no secret, no clock.

A check is a function from what was composed to diagnostics; `CHECKS` in `project.py` is the list one can read.
"""
