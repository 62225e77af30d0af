"""[runs] Code and layers unpacked in attach order and run as Lambda's runtime runs them."""
