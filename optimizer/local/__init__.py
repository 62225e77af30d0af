"""[runs] The embedded AWS: Lambda's state, limits and errors as the service has them."""
