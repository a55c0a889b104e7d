"""Walks the plan it was given: cuts batches, keeps to the rate, and sends each recorded batch once."""
