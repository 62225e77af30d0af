"""A region as a whole: who uses a layer, and moving them to another version in waves."""
