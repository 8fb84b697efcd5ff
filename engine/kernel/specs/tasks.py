"""Tasks: user, service and other jobs, script, business rule, receive, call."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import LiuzhuanError
from engine.feel import to_json
from engine.kernel import advance as a
from engine.kernel import clocks
from engine.kernel.people import user_task
from engine.kernel.specs.base import Node
from engine.kernel.spiff import STARTED, WAITING, CoreTask
from engine.kernel.trouble import DECISION_EVALUATION_ERROR, Trouble
from engine.kernel.variables import Value


class UserTask(Node):
    """Waits for a person."""

    def activate(self, task: CoreTask) -> bool:
        tree = task.tree
        change = user_task(task)
        if change.due_at is not None:
            change = clocks.arm_due(tree, task, change)
        tree.emit(change)
        task.memo["wait"] = "task"
        task.become(WAITING)
        return False


class JobTask(Node):
    """Waits for a worker: service, send, script and business rule tasks with a job, message throw and end events."""

    def activate(self, task: CoreTask) -> bool:
        tree, job = task.tree, self.element.job
        assert job is not None
        view = tree.view(task)
        kind = tree.evaluation.text(job.type, view)
        retries = tree.evaluation.number(job.retries, view)
        given = {n: v for n, v in tree.variables.get(task.key, {}).items() if not n.startswith("#")}
        tree.emit(a.JobCreated(task.key, self.element.id, kind, retries, job.headers, given))
        task.memo["wait"] = "job"
        task.become(WAITING)
        return False


class ScriptTask(Node):
    """Evaluates a FEEL expression into a variable, or a context into several."""

    def produce(self, task: CoreTask) -> None:
        script, tree = self.element.script, task.tree
        assert script is not None
        value, warning = tree.evaluation.result(script.expression, tree.view(task))
        if warning:
            tree.emit(a.ExpressionWarned(task.key, self.element.id, warning))
        if script.result is not None:
            tree.receive(task, {script.result: value})
        elif isinstance(value, Mapping):
            tree.receive(task, value)


class BusinessRuleTask(Node):
    """Evaluates a decision into a variable."""

    def produce(self, task: CoreTask) -> None:
        called, tree = self.element.decision, task.tree
        assert called is not None
        view = tree.view(task)
        decision_id = tree.evaluation.text(called.id, view)
        try:
            value, version, trace = tree.surroundings.decide(decision_id, called.binding, called.version_tag, view)
        except (LiuzhuanError, LookupError, ArithmeticError, RecursionError) as error:
            message = error.message if isinstance(error, LiuzhuanError) else str(error)
            raise Trouble(DECISION_EVALUATION_ERROR, f"决策 {decision_id} 失败：{message} / the decision failed") from error
        result = to_json(value)
        tree.emit(a.DecisionEvaluated(task.key, self.element.id, decision_id, version, result, trace))
        tree.receive(task, {called.result: result})


class CallActivity(Node):
    """Waits for a called instance, which is an instance of its own."""

    def activate(self, task: CoreTask) -> bool:
        tree, call = task.tree, self.element.call
        assert call is not None
        view = tree.view(task)
        process_id = tree.evaluation.text(call.process_id, view)
        business_id = tree.evaluation.optional_text(call.business_id, view)
        own = tree.variables.get(task.key, {})
        handed = dict(view) if call.variables_in else {n: v for n, v in own.items() if not n.startswith("#")}
        tree.emit(a.CallStarted(task.key, self.element.id, process_id, call.binding, call.version_tag, handed, business_id))
        task.memo["wait"] = "call"
        task.become(STARTED)
        return False

    def returned(self, task: CoreTask, variables: Mapping[str, Value]) -> None:
        """Take the variables of the called instance and go on."""
        call, tree = self.element.call, task.tree
        assert call is not None
        task.memo.pop("wait", None)
        if self.element.outputs:
            for name, value in variables.items():
                tree.set_local(task, name, value)
        elif call.variables_out:
            for name, value in variables.items():
                tree.set_merged(task, name, value)
        task.go_on()
