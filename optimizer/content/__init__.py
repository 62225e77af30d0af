"""[cache] Payloads: bytecode and deflate streams by content hash; exact bytes."""
