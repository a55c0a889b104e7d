"""`receipts`: finds the recipient of each receipt and records it, in one process or in many."""
