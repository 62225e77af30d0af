"""Old versions that nothing refers to: which may go, and their removal."""
