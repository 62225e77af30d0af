"""Whom a finding is laid to; what builds and verifies is a small stand-in."""

import dataclasses

import pytest

from optimizer import select
from optimizer.config import load
from optimizer.select import Rule
from optimizer.verify import Change, Finding, Report, Switch, blame, switches
from tests.support import make_project

TESTS = Switch(kind="rule", name="tests")
STUBS = Switch(kind="rule", name="stubs")
DROP = Switch(kind="drop", name="pkg")
SERVICES = Switch(kind="services", name="services")
ALL = (TESTS, STUBS, DROP, SERVICES)
LEFT_OUT = {"tests": ("numpy", "pandas", "scipy"), "stubs": ("lxml",), "slim.drop": ("pkg",)}


def finding(subject, actual="it broke", check="import"):
    return Finding(check=check, subject=subject, expected="it can be imported", actual=actual)


class Builds:
    """Counts builds; each subject passes when one of its ways is among what was changed."""

    def __init__(self, **ways):
        self.ways = ways
        self.changes = []

    def __call__(self, change):
        self.changes.append(change)
        changed = change.off | {("keep", name) for name in change.keep}
        return Report(
            findings=tuple(finding(s) for s, ways in self.ways.items() if not any(set(way) <= changed for way in ways))
        )


def blamed(builds, *findings, asked=()):
    return blame(
        Report(findings=findings, notes=("kept",)),
        switches=ALL,
        left_out=LEFT_OUT,
        build=builds,
        progress=lambda _: None,
        asked=frozenset(asked),
    )


def test_the_rule_and_the_distribution_are_named():
    builds = Builds(scipy=[{TESTS}, {("keep", "numpy")}])
    (one,) = blamed(builds, finding("scipy")).findings
    assert one.actual == (
        'it broke\n    left out by rule tests from distribution numpy: keep it with [slim.keep] numpy = ["*"]'
    )
    assert len(set(builds.changes)) == len(builds.changes), "no build is made twice"


def test_two_rules_that_are_to_blame_together_are_both_named():
    builds = Builds(x=[{TESTS, STUBS}, {TESTS, ("keep", "lxml")}, {STUBS, ("keep", "pandas")}])
    (one,) = blamed(builds, finding("x")).findings
    assert "rule stubs from distribution lxml" in one.actual
    assert "rule tests from distribution pandas" in one.actual


def test_where_no_distribution_can_be_named_the_rule_is_with_its_switch():
    (one,) = blamed(Builds(x=[{TESTS}]), finding("x")).findings
    assert one.actual.endswith("left out by rule tests: say tests = false under [slim]")
    (one,) = blamed(Builds(x=[{SERVICES}]), finding("x")).findings
    assert one.actual.endswith('left out by rule botocore-services: say services = "all" under [aws]')


def test_findings_of_different_reasons_share_builds():
    builds = Builds(a=[{TESTS}, {("keep", "numpy")}], b=[{DROP}, {("keep", "pkg")}])
    a, b = blamed(builds, finding("a"), finding("b")).findings
    assert "distribution numpy" in a.actual
    assert "rule slim.drop from distribution pkg" in b.actual
    assert len(set(builds.changes)) == len(builds.changes)


def test_an_import_that_fails_in_the_same_way_without_slimming_is_a_note():
    report = blamed(Builds(x=[]), finding("x"))
    assert report.findings == ()
    assert report.notes == ("kept", "x can't be imported, with slimming or without: it broke")


@pytest.mark.parametrize(
    ("one", "asked"),
    [(finding("x"), ["x"]), (finding("x", "in another way"), []), (finding("x", check="handler"), [])],
)
def test_what_else_fails_without_slimming_stays_and_says_so(one, asked):
    builds = Builds(x=[])
    if one.check == "handler":
        (left,) = blamed(lambda _: Report(findings=(one,)), one).findings
    else:
        (left,) = blamed(builds, one, asked=asked).findings
    assert left.actual.endswith("slimming is not to blame: it fails without it too")


def test_zips_and_collisions_are_nothing_that_slimming_does():
    def build(_):
        raise AssertionError

    findings = [finding("x", check=check) for check in ("artifact", "size", "collision")]
    assert blamed(build, *findings).findings == tuple(findings)


@pytest.fixture
def config(tmp_path):
    make_project(tmp_path)
    place = tmp_path / "config/layers.toml"
    place.write_text(f'{place.read_text()}\n[slim.drop]\nweb = ["*.txt"]\n[slim.keep]\naws = ["x"]\n')
    return load(place)


def test_what_can_not_be_switched_off_is_no_switch(config):
    found = switches(config)
    assert {Switch(kind="drop", name="web"), Switch(kind="services", name="services")} <= set(found)
    assert select.INSTALL_RULES.isdisjoint(switch.name for switch in found)
    assert {switch.name for switch in found if switch.kind == "rule"} >= {"stubs", *select.REWRITES} - select.ON_REQUEST


def test_a_rule_that_may_be_switched_off_is_one_by_itself(config, monkeypatch):
    rule = Rule(name="tests", why="", takes=lambda *_: False)
    monkeypatch.setitem(select.RULES, "tests", rule)
    monkeypatch.setattr(select, "unknown_rules", lambda c: [n for n in c.slim.rules if n != "tests"])
    assert TESTS in switches(config)
    off = Change(off=frozenset({TESTS}))(config)
    assert off.slim.rules == {"tests": False}
    assert TESTS not in switches(off)


def test_a_change_switches_off_and_keeps_and_leaves_the_rest(config):
    change = Change(off=frozenset({Switch(kind="drop", name="web"), SERVICES}), keep=frozenset({"web"}))
    changed = change(config)
    assert changed.slim.drop == {}
    assert changed.slim.keep == {"aws": ("x",), "web": ("*",)}
    assert changed.aws.services == "all"
    assert Change()(config) == config
    assert dataclasses.replace(change, off=frozenset())(config).slim.drop == config.slim.drop
