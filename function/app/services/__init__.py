"""The work itself, without HTTP."""
