"""[runs] Artifacts → Findings: imports and calls the layered function as Lambda would."""

from optimizer.verify.blame import blame
from optimizer.verify.findings import Finding, Measured, Report, Start
from optimizer.verify.switches import Change, Switch, left_out, switches
from optimizer.verify.verification import Options, verify

__all__ = [
    "Change",
    "Finding",
    "Measured",
    "Options",
    "Report",
    "Start",
    "Switch",
    "blame",
    "left_out",
    "switches",
    "verify",
]
