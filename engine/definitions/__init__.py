"""Reads what Camunda Modeler writes into checked, executable, immutable models.

`read_bpmn(data, name)` reads one BPMN file; `check({name: data})` answers the deployment report of all files together.
"""

from __future__ import annotations

from engine.definitions.check import check
from engine.definitions.model import Element, Event, Flow, Process, Term
from engine.definitions.reader import BpmnFile, read_bpmn
from engine.definitions.report import Finding, Report

__all__ = ["BpmnFile", "Element", "Event", "Finding", "Flow", "Process", "Report", "Term", "check", "read_bpmn"]
