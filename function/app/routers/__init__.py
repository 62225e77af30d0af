"""HTTP: each router parses a request and calls one service."""
