"""Carries change sets out: guarded steps, waits, uploads, traffic, lease."""
