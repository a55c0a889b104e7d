"""HTTP to other machines over httpx: proxies, trusted certificates, a total time per request and kept connections."""
