"""The ledger in one SQLite file: its tables, its lock and its high-water marks."""
