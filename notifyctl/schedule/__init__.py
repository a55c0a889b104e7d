"""When: occurrences, windows, holidays, grace and expiry. Pure; the present is passed in."""
