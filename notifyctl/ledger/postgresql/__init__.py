"""The ledger of an environment in one PostgreSQL database. Imported only where `ledger.urlEnv` is set."""
