"""The journal told in sentences: for the course of a case, and for its replay on the diagram."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from flask_babel import lazy_gettext as _l

from engine.history import events
from engine.kernel import advance
from webui import deciding, formats
from webui.i18n import text


class Line(Protocol):
    """A row of a case's journal: who did what, when, and what happened."""

    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def actor(self) -> str | None: ...
    @property
    def on_behalf_of(self) -> str | None: ...
    @property
    def command(self) -> str: ...
    @property
    def events(self) -> tuple[Any, ...]: ...


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called on a page.

    Attributes:
        elements: element id → its name in the diagram.
        people: username → name.
        groups: group id → name.
        labels: variable → the label of its form field.
    """

    elements: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def element(self, element_id: str | None) -> str:
        """Return an element's name, or its id where it has none."""
        return self.elements.get(element_id or "") or element_id or ""

    def person(self, username: str | None) -> str:
        """Return a person's name; None is the system."""
        return text("系统") if username is None else self.people.get(username, username)

    def group(self, group_id: str) -> str:
        """Return a group's name."""
        return self.groups.get(group_id, group_id)

    def label(self, variable: str) -> str:
        """Return what a variable is called."""
        return self.labels.get(variable, variable)


_COMMANDS: Mapping[str, object] = {
    "start_instance": _l("发起事项"),
    "submit_start_form": _l("提交表单，发起事项"),
    "start_child": _l("被其他流程调用"),
    "start_by_message": _l("收到消息，自动发起"),
    "start_by_signal": _l("收到信号，自动发起"),
    "start_by_timer": _l("到时自动发起"),
    "claim_task": _l("认领任务"),
    "unclaim_task": _l("退回任务"),
    "assign_task": _l("转交任务"),
    "complete_task": _l("完成任务"),
    "update_task": _l("更改任务"),
    "fire_timer": _l("计时到点"),
    "activate_jobs": _l("自动步骤由程序领取"),
    "complete_job": _l("完成自动步骤"),
    "fail_job": _l("自动步骤失败"),
    "throw_job_error": _l("自动步骤报告业务错误"),
    "update_job": _l("更正自动步骤的重试与时限"),
    "receive_message": _l("收到消息"),
    "receive_signal": _l("收到信号"),
    "trigger_subscription": _l("采取行动"),
    "child_ended": _l("被调用的流程结束"),
    "cancel_instance": _l("终止事项"),
    "suspend_instance": _l("暂停事项"),
    "resume_instance": _l("恢复事项"),
    "set_variables": _l("更正数据"),
    "start_in_ad_hoc": _l("开始活动"),
    "modify_instance": _l("更正所处位置"),
    "migrate_instance": _l("迁移到其他版本"),
    "resolve_incident": _l("处理出错"),
    "recompute_deadlines": _l("重新计算期限"),
    "notify": _l("发出提醒"),
}

ALERT_KINDS: Mapping[str, tuple[object, str]] = {
    "reminder": (_l("提醒"), "tag-soon"),
    "overdue": (_l("逾期"), "tag-late"),
    "escalation": (_l("升级"), "tag-late"),
    "signal": (_l("信号"), "tag-soon"),
    "info": (_l("通知"), "tag-accent"),
}


def alert_kind(kind: str) -> tuple[str, str]:
    """Return an alert kind's word and the class of its tag."""
    word, tone = ALERT_KINDS.get(kind, (kind, ""))
    return str(word), tone


NEWEST = 30


NamesOf = Callable[[int], Names]
"""What ids are called in one version of a process, by its definition key: a case may have moved from one to another."""


def definitions(entries: Iterable[Line]) -> list[int]:
    """Return for each entry of a case's journal, from its first, the definition that the case ran behind it."""
    found, at = [], 0
    for entry in entries:
        for change in entry.events:
            if isinstance(change, events.InstanceStarted | events.InstanceMigrated):
                at = change.definition_key
        found.append(at)
    return found


def course(entries: Sequence[Line], names_of: NamesOf, *, newest: int = NEWEST) -> list[dict[str, Any]]:
    """Return the newest entries, newest first: who, when, what, and the lines that matter to people."""
    told = []
    for entry, definition_key in reversed(list(zip(entries, definitions(entries), strict=True))):
        names = names_of(definition_key)
        lines = _lines(entry, names, _COURSE)
        what = _what(entry, names)
        if entry.actor is None and not lines:
            continue  # the engine's own bookkeeping
        told.append({"at": formats.moment(entry.at), "who": _who(entry, names), "what": what, "lines": lines})
        if len(told) == newest:
            break
    return told


def frames(entries: Sequence[Line], names_of: NamesOf) -> list[dict[str, Any]]:
    """Return one frame per entry: the sentences, what moved on which definition's diagram, and which tasks were late by then."""
    due: dict[int, tuple[str, datetime]] = {}
    told = []
    for entry, definition_key in zip(entries, definitions(entries), strict=True):
        late = sorted({element for element, at in due.values() if at < entry.at})
        told.append({**_frame(entry, names_of(definition_key)), "late": late, "definition": definition_key})
        for change in entry.events:
            if isinstance(change, advance.ElementMigrated) and change.key in due:
                due[change.key] = (change.element_id, due[change.key][1])
            if isinstance(change, advance.TaskCreated | advance.TaskUpdated):
                due.pop(change.key, None)
                if change.due_at is not None:
                    due[change.key] = (change.element_id, change.due_at)
            elif isinstance(change, advance.TaskCompleted | advance.TaskCancelled):
                due.pop(change.key, None)
    return told


def _frame(entry: Line, names: Names) -> dict[str, Any]:
    at = entry.events
    return {
        "seq": entry.seq,
        "at": formats.second(entry.at),
        "who": _who(entry, names),
        "what": _what(entry, names),
        "lines": _lines(entry, names, _REPLAY),
        "signatures": [_signature(change, names) for change in at if isinstance(change, events.Signed)],
        "values": [
            (names.label(change.name), formats.value_text(change.value))
            for change in at
            if isinstance(change, advance.VariableSet)
        ],
        "entered": [change.element_id for change in at if isinstance(change, advance.ElementEntered)],
        "completed": [change.element_id for change in at if isinstance(change, advance.ElementCompleted)],
        "terminated": [change.element_id for change in at if isinstance(change, advance.ElementTerminated)],
        "moved": [(change.before, change.element_id) for change in at if isinstance(change, advance.ElementMigrated)],
        "flows": [change.flow_id for change in at if isinstance(change, advance.FlowTaken)],
        "focus": next((change.element_id for change in at if isinstance(change, advance.TaskCreated)), None),
    }


def _who(entry: Line, names: Names) -> str:
    who = names.person(entry.actor)
    if entry.on_behalf_of:
        return text("%(who)s（代 %(absent)s）", who=who, absent=names.person(entry.on_behalf_of))
    return who


def _what(entry: Line, names: Names) -> str:
    command = str(_COMMANDS.get(entry.command, entry.command))
    subject = next((element for change in entry.events if (element := _subject(change))), None)
    return text("%(command)s：%(element)s", command=command, element=names.element(subject)) if subject else command


def _subject(change: advance.Change) -> str | None:
    """The element that a command is about."""
    kinds = (
        advance.TaskCompleted,
        events.TaskClaimed,
        events.TaskUnclaimed,
        events.TaskAssigned,
        events.TaskChanged,
        advance.TimerFired,
        advance.EventReceived,
        advance.JobCompleted,
        events.JobActivated,
        events.JobFailed,
    )
    return change.element_id if isinstance(change, kinds) else None


def _signature(change: events.Signed, names: Names) -> str:
    return text(
        "%(name)s（%(user)s）于 %(at)s 签名：%(meaning)s",
        name=change.name,
        user=change.user,
        at=formats.second(change.at),
        meaning=change.meaning or names.element(change.element_id),
    )


# --- one sentence per kind of event -------------------------------------------------------------------------------------


def _task_created(change: advance.TaskCreated, entry: Line, names: Names) -> str:
    offered = [names.person(change.assignee)] if change.assignee else [names.group(group) for group in change.candidate_groups]
    offered = offered or [names.person(user) for user in change.candidate_users]
    who, task = text("、").join(offered), names.element(change.element_id)
    if change.due_at:
        return text("任务到达：%(task)s → %(who)s，期限 %(due)s", task=task, who=who, due=formats.moment(change.due_at))
    return text("任务到达：%(task)s → %(who)s", task=task, who=who)


def _task_cancelled(change: advance.TaskCancelled, entry: Line, names: Names) -> str:
    return text("任务取消：%(task)s", task=names.element(change.element_id))


def _assigned(change: events.TaskAssigned, entry: Line, names: Names) -> str:
    return text("转交给 %(who)s", who=names.person(change.assignee)) if change.assignee else text("退回给组")


def _submitted(change: events.FormSubmitted, entry: Line, names: Names) -> str:
    return text("理由：%(reason)s", reason=change.reason) if change.reason else ""


def _timer_armed(change: advance.TimerArmed, entry: Line, names: Names) -> str:
    return text(
        "开始计时：%(element)s，%(due)s 到点", element=names.element(change.element_id), due=formats.moment(change.due_at)
    )


def _timer_fired(change: advance.TimerFired, entry: Line, names: Names) -> str:
    late = entry.at - change.due_at
    name, due = names.element(change.element_id), formats.moment(change.due_at)
    if change.recorded_only:
        return text("到点时已过，只作记录：%(element)s，应为 %(due)s", element=name, due=due)
    if late.total_seconds() >= 60:
        return text("到点：%(element)s，应为 %(due)s，晚了 %(late)s", element=name, due=due, late=formats.span(late))
    return text("到点：%(element)s", element=name)


def _clock_stopped(change: advance.ClockStopped, entry: Line, names: Names) -> str:
    return text("计时停止：%(clock)s", clock=names.element(change.clock))


def _clock_resumed(change: advance.ClockResumed, entry: Line, names: Names) -> str:
    return text("计时继续：%(clock)s", clock=names.element(change.clock))


def _alert(change: events.AlertRaised, entry: Line, names: Names) -> str:
    people = text("、").join(
        [names.group(group) for group in change.groups] or [names.person(user) for user in change.recipients]
    )
    return text(
        "%(kind)s：%(subject)s（发给 %(people)s）", kind=alert_kind(change.kind)[0], subject=change.subject, people=people
    )


def _decision(change: advance.DecisionEvaluated, entry: Line, names: Names) -> str:
    return text(
        "决策 %(decision)s（第 %(version)s 版）：%(result)s",
        decision=deciding.name_of(change.decision_id, change.trace),
        version=change.version,
        result=formats.value_text(change.result),
    )


def _incident(change: advance.IncidentRaised, entry: Line, names: Names) -> str:
    return text("出错：%(element)s：%(message)s", element=names.element(change.element_id), message=change.message)


def _resolved(change: advance.IncidentResolved, entry: Line, names: Names) -> str:
    return text("出错已处理：%(element)s", element=names.element(change.element_id))


def _suspended(change: events.Suspended, entry: Line, names: Names) -> str:
    return text("原因：%(reason)s", reason=change.reason)


def _reason(change: events.Resumed | events.Cancelled | events.Corrected, entry: Line, names: Names) -> str:
    return text("原因：%(reason)s", reason=change.reason) if change.reason else ""


def _migrated(change: events.InstanceMigrated, entry: Line, names: Names) -> str:
    return text(
        "第 %(old)s 版 → 第 %(new)s 版，原因：%(reason)s", old=change.from_version, new=change.version, reason=change.reason
    )


def _element_migrated(change: advance.ElementMigrated, entry: Line, names: Names) -> str:
    return text("移到：%(element)s（原 %(before)s）", element=names.element(change.element_id), before=change.before)


def _call(change: events.ChildStarted, entry: Line, names: Names) -> str:
    return text("调用流程：%(element)s（第 %(version)s 版）", element=names.element(change.element_id), version=change.version)


def _ended(change: advance.InstanceEnded, entry: Line, names: Names) -> str:
    return text("事项完成") if change.state == "COMPLETED" else text("事项终止")


def _warned(change: advance.ExpressionWarned, entry: Line, names: Names) -> str:
    return text("提示：%(element)s：%(message)s", element=names.element(change.element_id), message=change.message)


def _chosen(change: advance.AdHocStarted, entry: Line, names: Names) -> str:
    return text("开始：%(elements)s", elements=text("、").join(names.element(each) for each in change.elements))


def _received(change: advance.EventReceived, entry: Line, names: Names) -> str:
    if change.kind == "conditional":
        return text("条件成立：%(condition)s", condition=change.name)
    return text("收到 %(name)s", name=change.name)


def _awaited(change: advance.MessageAwaited, entry: Line, names: Names) -> str:
    return text("等待消息：%(element)s", element=change.name or names.element(change.element_id))


def _sent(change: events.MessagePublished, entry: Line, names: Names) -> str:
    return text("发出消息：%(name)s", name=change.name)


def _failed(change: events.JobFailed, entry: Line, names: Names) -> str:
    return text("失败：%(message)s（还可重试 %(retries)s 次）", message=change.message, retries=change.retries)


def _recomputed(change: events.DeadlineRecomputed, entry: Line, names: Names) -> str:
    return text(
        "期限由 %(before)s 改为 %(after)s：%(element)s",
        before=formats.moment(change.before),
        after=formats.moment(change.due_at),
        element=names.element(change.element_id),
    )


def _note(change: events.NoteAdded, entry: Line, names: Names) -> str:
    return change.text


def _signed(change: events.Signed, entry: Line, names: Names) -> str:
    return _signature(change, names)


def _entered(change: advance.ElementEntered, entry: Line, names: Names) -> str:
    name = names.elements.get(change.element_id)
    return text("进入：%(element)s", element=name) if name and change.type not in {"PROCESS", "USER_TASK"} else ""


_Sentence = Callable[[Any, Line, Names], str]
_COURSE: Mapping[type[advance.Change], _Sentence] = {
    advance.TaskCreated: _task_created,
    advance.TaskCancelled: _task_cancelled,
    events.TaskAssigned: _assigned,
    events.FormSubmitted: _submitted,
    advance.DecisionEvaluated: _decision,
    events.Signed: _signed,
    advance.TimerFired: _timer_fired,
    advance.ClockStopped: _clock_stopped,
    advance.ClockResumed: _clock_resumed,
    events.AlertRaised: _alert,
    advance.IncidentRaised: _incident,
    advance.IncidentResolved: _resolved,
    events.Suspended: _suspended,
    events.Resumed: _reason,
    events.Cancelled: _reason,
    events.Corrected: _reason,
    events.InstanceMigrated: _migrated,
    events.ChildStarted: _call,
    advance.InstanceEnded: _ended,
    advance.EventReceived: _received,
    advance.AdHocStarted: _chosen,
    advance.ExpressionWarned: _warned,
    events.MessagePublished: _sent,
    events.JobFailed: _failed,
    events.DeadlineRecomputed: _recomputed,
    events.NoteAdded: _note,
}
_REPLAY: Mapping[type[advance.Change], _Sentence] = {
    **{kind: sentence for kind, sentence in _COURSE.items() if kind is not events.Signed},
    advance.ElementEntered: _entered,
    advance.ElementMigrated: _element_migrated,
    advance.TimerArmed: _timer_armed,
    advance.MessageAwaited: _awaited,
}


def _lines(entry: Line, names: Names, sentences: Mapping[type[advance.Change], _Sentence]) -> list[str]:
    told: list[str] = []
    for change in entry.events:
        if type(change) in sentences:
            told.append(sentences[type(change)](change, entry, names))
        if isinstance(change, advance.DecisionEvaluated):
            told += deciding.why(change.trace)
    return [line for line in told if line]
