"""[pure] What of each distribution ships, and why the rest doesn't."""

from optimizer.select.evidence import Evidence, gather
from optimizer.select.parts import SERVICES_OWNER, part_name, split_inventory, split_selections
from optimizer.select.path_files import is_path_file, path_file_problems
from optimizer.select.reach import exclusion_warnings, never_imported
from optimizer.select.rewrites import (
    ON_REQUEST,
    REWRITES,
    is_on,
    rewrite,
    service_models,
    without_comments,
    without_sources,
)
from optimizer.select.rules import INSTALL_RULES, RULES, Rule, why
from optimizer.select.selection import (
    DROP_RULE,
    SERVICES_RULE,
    pattern_warnings,
    select_distribution,
    select_source,
    unknown_names,
    unknown_rules,
    without_shared,
)
from optimizer.select.services import SDK, Services, available_services, choose_services
from optimizer.select.shipped_services import CHANGED

__all__ = [
    "CHANGED",
    "DROP_RULE",
    "INSTALL_RULES",
    "ON_REQUEST",
    "REWRITES",
    "RULES",
    "SDK",
    "SERVICES_OWNER",
    "SERVICES_RULE",
    "Evidence",
    "Rule",
    "Services",
    "available_services",
    "choose_services",
    "exclusion_warnings",
    "gather",
    "is_on",
    "is_path_file",
    "never_imported",
    "part_name",
    "path_file_problems",
    "pattern_warnings",
    "rewrite",
    "select_distribution",
    "select_source",
    "service_models",
    "split_inventory",
    "split_selections",
    "unknown_names",
    "unknown_rules",
    "why",
    "without_comments",
    "without_shared",
    "without_sources",
]
