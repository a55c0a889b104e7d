"""`accept`: who can let a series be sent, and how they prove who they are."""
