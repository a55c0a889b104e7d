"""The vocabulary that crosses rooms: projects, messages, recipients, batches and what a ledger records. Plain data."""
