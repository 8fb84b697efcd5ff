"""DMN 1.1 to 1.5: decision tables and every other boxed expression, requirement graphs, decision services, imports.

model = dmn.load(xml)
model.evaluate("reviewers", {"amount": 500000})
model.explain("reviewers", {…}).trace       # which rules matched, and why
model.check()                               # what a deployment should refuse or warn of
"""

from __future__ import annotations

from engine.dmn.findings import Finding
from engine.dmn.loading import ModelFiles, load
from engine.dmn.model import DecisionInfo, DecisionResult, Model, RuleInfo

__all__ = ["DecisionInfo", "DecisionResult", "Finding", "Model", "ModelFiles", "RuleInfo", "load"]
