"""How events are written in the journal: a short code and the fields in a fixed order, instead of names at every turn.

A layout is for ever: rows written by it are read by it. So a line here is never changed and never taken away.

A new kind of event needs no line: it is written by its class's name with its fields by name. A new field of a class that has a
line needs none either: it is written by name behind the others. When a kind of event turns out to be frequent, give it the next
free code; what was written by name before is read as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of event: its code, its class's name, its fields in order.

    `absent` is how a field would be written that is left out behind the last one written, where that is not empty (keys are
    written as their distance from the case's: 0 is the case's own).
    """

    code: int
    name: str
    fields: tuple[str, ...]
    absent: Mapping[str, Any]


def _layout(code: int, name: str, fields: str = "", **absent: Any) -> Layout:
    return Layout(code, name, tuple(fields.split()), absent)


ALL = (
    _layout(1, "ElementEntered", "key element_id type scope_key flow_id"),
    _layout(2, "ElementCompleted", "key element_id"),
    _layout(3, "ElementTerminated", "key element_id by"),
    _layout(4, "FlowTaken", "flow_id scope_key", scope_key=0),
    _layout(5, "VariableSet", "name value scope_key", scope_key=0),
    _layout(6, "DecisionEvaluated", "key element_id decision_id version result trace"),
    _layout(
        7,
        "TaskCreated",
        "key element_id name candidate_groups assignee candidate_users excluded_users due_at form_id properties loop_counter"
        " follow_up_at visible_to priority signed external_form form_binding form_version_tag",
        priority=50,
        form_binding="latest",
    ),
    _layout(8, "TaskUpdated", "key element_id due_at"),
    _layout(9, "TaskCompleted", "key element_id"),
    _layout(10, "TaskCancelled", "key element_id"),
    _layout(11, "TimerArmed", "key element_id due_at text clock repetitions", repetitions=1),
    _layout(12, "TimerDisarmed", "key element_id"),
    _layout(13, "TimerFired", "key element_id due_at recorded_only"),
    _layout(14, "ClockStopped", "clock by_key remaining"),
    _layout(15, "ClockResumed", "clock by_key"),
    _layout(
        16, "MessageAwaited", "key element_id message correlation_key name offered_to form_id interrupting", interrupting=True
    ),
    _layout(17, "SignalAwaited", "key element_id signal"),
    _layout(18, "SubscriptionClosed", "key element_id"),
    _layout(19, "EventReceived", "key element_id kind name"),
    _layout(20, "SignalThrown", "element_id signal variables"),
    _layout(21, "JobCreated", "key element_id type retries headers input"),
    _layout(22, "JobCompleted", "key element_id"),
    _layout(23, "JobCancelled", "key element_id"),
    _layout(24, "CallStarted", "key element_id called_process_id binding version_tag variables business_id"),
    _layout(25, "CallCancelled", "key element_id"),
    _layout(26, "IncidentRaised", "key element_key element_id kind message"),
    _layout(27, "IncidentResolved", "key element_key element_id"),
    _layout(28, "InstanceEnded", "state variables error_code error_message"),
    _layout(29, "Escalated", "element_id code variables"),
    _layout(
        40,
        "InstanceStarted",
        "bpmn_process_id version definition_key definition_hash root_key business_id parent_key parent_element_key bindings",
        root_key=0,
    ),
    _layout(41, "ChildStarted", "key element_id child_key bpmn_process_id version definition_key"),
    _layout(42, "TaskClaimed", "key element_id assignee"),
    _layout(43, "TaskUnclaimed", "key element_id"),
    _layout(44, "TaskAssigned", "key element_id assignee reason"),
    _layout(45, "FormSubmitted", "key element_id form_id form_hash reason"),
    _layout(46, "Signed", "key element_id user name meaning at"),
    _layout(
        47,
        "AlertRaised",
        "key element_id kind subject text recipients groups due_at late_seconds element_key substitutes absent",
    ),
    _layout(48, "DeliverySent", "alert_key channel recipient"),
    _layout(49, "JobActivated", "key element_id worker until"),
)

BY_CODE: Mapping[int, Layout] = {layout.code: layout for layout in ALL}
BY_NAME: Mapping[str, Layout] = {layout.name: layout for layout in ALL}
