"""The command line: one module a command; parsing, wiring, exit codes."""
