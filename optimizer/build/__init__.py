"""[writes] LayerPlan and payloads to deterministic zips and their manifest."""
