"""From what a plan hands over to requests, answers and facts: batches, pacing, and the send protocol. Decides nothing about who."""
