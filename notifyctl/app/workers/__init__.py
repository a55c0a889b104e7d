"""`worker` and `apply --workers`: campaigns that several machines send."""
