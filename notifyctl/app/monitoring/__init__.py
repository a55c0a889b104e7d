"""What shows how an environment is and what is being sent: `doctor`, `status --watch`, `/healthz` and `/metrics`."""
