"""The queue that wakes workers. It spreads and repeats jobs; the ledger alone decides what is sent. Imported only for workers."""
