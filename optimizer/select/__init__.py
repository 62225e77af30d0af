"""[pure] What of each distribution ships, and why the rest doesn't."""
