"""What a user task says to people: who may do it, who never, until when, with which form."""

from __future__ import annotations

from engine.definitions.model import FormRef
from engine.definitions.model import UserTask as Model
from engine.kernel.advance import TaskCreated, TaskMigrated
from engine.kernel.spiff import CoreTask
from engine.kernel.trouble import EXTRACT_VALUE_ERROR, Trouble

DEFAULT_PRIORITY = 50


def user_task(task: CoreTask) -> TaskCreated:
    """Evaluate everything a user task shows; nothing is changed.

    Raises:
        Trouble: an expression failed or its value is of the wrong kind.
    """
    tree, element = task.tree, task.spec.element
    evaluation, view = tree.evaluation, tree.view(task)
    user, form = element.user or Model(), element.form or FormRef()
    priority = evaluation.number(user.priority, view) if user.priority else DEFAULT_PRIORITY
    if not 0 <= priority <= 100:
        raise Trouble(EXTRACT_VALUE_ERROR, f"优先级应在 0 到 100 之间：{priority} / the priority must be between 0 and 100")
    signed, excluded = element.signed, _excluded(task)
    assignee = evaluation.optional_text(user.assignee, view) or None
    return TaskCreated(
        key=task.key,
        element_id=element.id,
        name=element.name or element.id,
        assignee=None if assignee in excluded else assignee,  # who is excluded never gets it, not from the model either
        candidate_groups=evaluation.words(user.candidate_groups, view),
        candidate_users=evaluation.words(user.candidate_users, view),
        excluded_users=excluded,
        due_at=evaluation.optional_moment(user.due, view),
        follow_up_at=evaluation.optional_moment(user.follow_up, view),
        priority=priority,
        form_id=form.id,
        form_binding=form.binding,
        form_version_tag=form.version_tag,
        external_form=evaluation.optional_text(form.external, view),
        loop_counter=task.memo["i"] + 1 if "i" in task.memo else None,
        signed=False
        if signed is None
        else signed.text == "true"
        if signed.expression is None
        else evaluation.boolean(signed, view),
        visible_to=_visible_to(task),
        properties=element.properties,
    )


def form_of(task: CoreTask) -> TaskMigrated:
    """Return what an open task shows after its case moved to another definition: that one's name and form.

    Raises:
        Trouble: the form's expression failed.
    """
    tree, element = task.tree, task.spec.element
    form = element.form or FormRef()
    external = tree.evaluation.optional_text(form.external, tree.view(task))
    return TaskMigrated(task.key, element.id, element.name or element.id, form.id, form.binding, form.version_tag, external)


def _excluded(task: CoreTask) -> tuple[str, ...]:
    """The inner exclusions add to the outer ones; each is evaluated in the scope that it stands on."""
    found: dict[str, None] = {}
    for at in _around(task):
        term = at.spec.element.excluded_users
        if term is not None and at.spec.type != "MULTI_INSTANCE_BODY":
            found.update(dict.fromkeys(task.tree.evaluation.words(term, task.tree.view(at))))
    return tuple(found)


def _visible_to(task: CoreTask) -> tuple[str, ...] | None:
    """The nearest scope that says who may see it decides."""
    for at in _around(task):
        term = at.spec.element.visible_to
        if term is not None:
            return task.tree.evaluation.words(term, task.tree.view(at))
    return None


def _around(task: CoreTask) -> list[CoreTask]:
    found = [task]
    while found[-1].parent_key is not None:
        found.append(found[-1].scope)
    return found
