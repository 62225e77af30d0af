"""[pure] What of each distribution ships, and why the rest doesn't."""

from optimizer.select.parts import SERVICES_OWNER, part_name, split_inventory, split_selections
from optimizer.select.rewrites import REWRITES, rewrite, service_models
from optimizer.select.rules import RULES, Rule
from optimizer.select.selection import (
    SERVICES_RULE,
    select_distribution,
    select_source,
    unknown_patterns,
    unknown_rules,
    without_shared,
)
from optimizer.select.services import SDK, Services, available_services, choose_services

__all__ = [
    "REWRITES",
    "RULES",
    "SDK",
    "SERVICES_OWNER",
    "SERVICES_RULE",
    "Rule",
    "Services",
    "available_services",
    "choose_services",
    "part_name",
    "rewrite",
    "select_distribution",
    "select_source",
    "service_models",
    "split_inventory",
    "split_selections",
    "unknown_patterns",
    "unknown_rules",
    "without_shared",
]
