"""[runs] Artifacts to findings."""
