"""What completed activities leave behind so that they can be undone, and the undoing: one by one, what was done last first.

An activity with a compensation boundary event leaves that event when it completes: it waits in the scope, with the activity's
own variables as they were. A sub-process in which such events wait, or that has a compensation event sub-process, stays itself
when it completes, out of work, with its variables. Both carry `kept` in their memo, their place in the order of completion; while
they are undone, `by` is the key of who asked for it: a compensation throw event, a cancelled transaction, or the sub-process
around them. Activities without such handlers leave nothing.

Source: BPMN 2.0.2, 10.7 and 13.5.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.kernel import advance as a
from engine.kernel.spiff import STARTED, WAITING, CoreTask
from engine.kernel.variables import is_internal

if TYPE_CHECKING:
    from engine.kernel.tree import Tree


def is_done(task: CoreTask) -> bool:
    """Whether it is something completed that can be undone."""
    return "kept" in task.memo


def remember(tree: Tree, task: CoreTask) -> bool:
    """An activity completes: keep what undoing it needs. True when that is the task itself, which has to stay."""
    spec = task.spec
    if spec.collects:
        for child in list(_done_in(tree, task)):
            tree.move(child, task.scope)
        return False
    undo = spec.undo if spec.body is None else spec.body.undo
    if undo is not None:
        left = tree.place(task.scope, undo, WAITING, kept=next(tree.surroundings.keys))
        for name, value in tree.variables.get(task.key, {}).items():
            if not is_internal(name):
                tree.put(left, name, value)
        return False
    if spec.undone_by is None and not any(_done_in(tree, task)):
        return False
    _stay(tree, task, next(tree.surroundings.keys))
    return True


def throw(task: CoreTask, activity: str | None, *, waits: bool) -> bool:
    """Undo what the scope of a throw event completed, or one activity of it; False when nobody has to wait for that."""
    tree = task.tree
    found = [done for scope in _places(task) for done in _done_in(tree, scope) if _is_free(tree, done)]
    chosen = [done for done in found if activity is None or _activity(done) == activity]
    if not chosen:
        return False
    asks = task if waits else tree.place(task.scope, task.spec, STARTED, detached=True)
    for done in chosen:
        done.memo["by"] = asks.key
        tree.touch(done)
    go_on(asks)
    return waits


def cancel(transaction: CoreTask, by: str) -> None:
    """Cancel a transaction: end what runs in it, undo what was done in it, and leave it by its cancel boundary event."""
    tree = transaction.tree
    transaction.memo.update(cancelled=True, interrupted=True)
    _end_what_runs(tree, transaction, by)
    tree.detach(transaction)
    tree.touch(transaction)
    _undo_all_in(tree, transaction)


def go_on(asks: CoreTask) -> None:
    """Undo the next thing that was asked for; when nothing is left, say so to who asked."""
    tree = asks.tree
    current = tree.tasks.get(asks.memo.get("undoing", 0))
    if current is not None and current.state != WAITING:
        return
    left = tree.to_undo.get(asks.key)
    if left is None:
        marked = [done for scope in _places(asks) for done in _done_in(tree, scope) if done.memo.get("by") == asks.key]
        left = tree.to_undo[asks.key] = [done.key for done in sorted(marked, key=lambda done: int(done.memo["kept"]))]
    while left:
        last = tree.tasks.get(left.pop())
        if last is not None and last.state == WAITING and last.memo.get("by") == asks.key:
            asks.memo["undoing"] = last.key
            tree.touch(asks)
            last.become(STARTED)
            last.spec.undo_it(last)
            return
    del tree.to_undo[asks.key]
    asks.memo.pop("undoing", None)
    asks.spec.compensated(asks)


def undo_scope(task: CoreTask) -> None:
    """Undo a completed sub-process: as its compensation event sub-process says, else all that was done in it."""
    tree, handler = task.tree, task.spec.undone_by
    if handler is None or "aborted" in task.memo:
        _undo_all_in(tree, task)
        return
    begun = tree.place(task, handler, STARTED)
    tree.entered(begun)
    handler.start_it(begun, {})


def is_undone(task: CoreTask, asked_by: int) -> None:
    """Something was undone and has left its scope: who asked for it goes on."""
    tree = task.tree
    asks = tree.tasks.get(asked_by)
    if asks is not None:
        go_on(asks)
    else:
        tree.scope_is_quiet(task.scope)


def interrupt(tree: Tree, task: CoreTask, by: str | None) -> None:
    """What is being undone is interrupted: what has begun is not undone again, what has not begun stays."""
    tree.kill_children(task, by)
    if any(_done_in(tree, task)) and not task.memo.get("on"):
        task.memo.pop("by", None)
        task.memo["aborted"] = True  # its own handler has had its chance
        task.become(WAITING)
    else:
        tree.kill(task, by)


# --- inside


def _undo_all_in(tree: Tree, scope: CoreTask) -> None:
    tree.to_undo.pop(scope.key, None)
    for done in _done_in(tree, scope):
        done.memo["by"] = scope.key
        tree.touch(done)
    go_on(scope)


def _end_what_runs(tree: Tree, scope: CoreTask, by: str) -> None:
    """Terminate what runs in a scope; of sub-processes that run, what was done in them can still be undone."""
    for child in [tree.tasks[key] for key in tuple(scope.child_keys)]:
        if child.key not in tree.tasks:
            continue
        if is_done(child):
            if child.state != WAITING:
                interrupt(tree, child, by)
        elif child.spec.undoable and child.spec.is_scope and child.memo.get("on"):
            _end_what_runs(tree, child, by)
            if child.spec.collects:
                for done in list(_done_in(tree, child)):
                    tree.move(done, scope)
            last = max((int(done.memo["kept"]) for done in _done_in(tree, child)), default=None)
            if last is not None:
                tree.emit(a.ElementTerminated(child.key, child.spec.element.id, by))
                child.memo["aborted"] = True
                tree.release(child)
                _stay(tree, child, last)
            else:
                tree.kill(child, by)
        else:
            tree.kill(child, by)


def _stay(tree: Tree, task: CoreTask, place: int) -> None:
    for name in ("on", "interrupted", "cancelled", "stops", "by", "undoing"):
        task.memo.pop(name, None)
    task.memo["kept"] = place
    task.become(WAITING)


def _places(asks: CoreTask) -> Iterator[CoreTask]:
    """Yield the scopes whose activities it undoes: an event sub-process undoes those of the scope around it, too."""
    if asks.spec.is_scope:
        yield asks
        return
    scope = asks.scope
    yield scope
    while scope.spec.type == "EVENT_SUB_PROCESS" and not is_done(scope):
        scope = scope.scope
        yield scope


def _done_in(tree: Tree, scope: CoreTask) -> Iterator[CoreTask]:
    return (task for task in (tree.tasks[key] for key in tuple(scope.child_keys)) if is_done(task))


def _is_free(tree: Tree, done: CoreTask) -> bool:
    return done.state == WAITING and done.memo.get("by") not in tree.tasks


def _activity(done: CoreTask) -> str:
    return done.spec.element.attached_to or done.spec.element.id
