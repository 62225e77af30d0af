"""[reads] Somebody else's project → what its files say of its functions, each value with the place that says it."""
