"""[reads] An installed environment or folder, and the function's own source, as an Inventory."""
