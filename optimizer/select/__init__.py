"""[pure] What of each distribution ships, and why the rest doesn't."""

from optimizer.select.rules import RULES, Rule
from optimizer.select.selection import select_distribution, select_source, unknown_rules, without_shared

__all__ = ["RULES", "Rule", "select_distribution", "select_source", "unknown_rules", "without_shared"]
