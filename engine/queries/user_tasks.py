"""User tasks as programs search them (see `searching`): those that a person may work on, and those of cases they may see.

What a filter on variables finds must not tell what the person may not read: tasks whose variables are hidden from them are not
found by it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    type_coerce,
    union,
)
from sqlalchemy.dialects.postgresql import JSONB

from engine.errors import InvalidValue, NotFound
from engine.queries.searching import SURELY, Condition, Order, Page, PageRequest, Search, Searchable, compared, search
from engine.queries.visibility import hidden_scopes
from engine.store import Reading, exact_json
from engine.store.context import Context
from engine.store.rights import Actor, actor, is_offered, may_work, sees_every_case, visible_cases
from engine.store.tables import (
    IS_OPEN,
    alert,
    alert_recipient,
    blob,
    instance_tag,
    message_subscription,
    process_definition,
    process_instance,
    task_candidate,
    user_task,
    variable,
)
from engine.store.transactions import Found

TENANT = "<default>"
"""The one tenant there is, as Camunda names it."""

STATES = {"CREATED": "OPEN", "COMPLETED": "COMPLETED", "CANCELED": "CANCELLED"}
"""Camunda's word for a task's state → ours."""

_BY_VARIABLES = frozenset({"process_instance_variables", "local_variables"})
_RIGHTS = (
    "key",
    "instance_key",
    "scope_key",
    "bpmn_process_id",
    "assignee",
    "on_behalf_of",
    "candidate_groups",
    "candidate_users",
    "excluded_users",
)
_Special = Callable[[Condition], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class UserTask:
    """A task as programs see it.

    Attributes:
        row: of the table `user_task`.
        case: its instance and definition: definition_key, root_key, business_id, name, version.
        tags: of its instance, in order.
    """

    row: Found
    case: Found
    tags: tuple[str, ...]


_CASES = select(
    process_instance.c.key,
    process_instance.c.definition_key,
    process_instance.c.root_key,
    process_instance.c.business_id,
    process_definition.c.name,
    process_definition.c.version,
).join(process_definition, process_definition.c.key == process_instance.c.definition_key)
_TAGS = select(instance_tag).order_by(instance_tag.c.tag)
_ROOTS = select(process_instance.c.key, process_instance.c.root_key)


def search_user_tasks(
    ctx: Context, who: str, wanted: Search, *, processes: Collection[str] | None = None
) -> tuple[list[UserTask], Page]:
    """Return the tasks that a person may know of, and their page.

    Args:
        wanted: fields as Camunda names them, in snake case. `tags`: a list, all of them; `process_instance_variables` and
            `local_variables`: (name, JSON text or texts) of a variable of the instance or of the task itself.
        processes: only tasks of these process ids; None = all.
    """
    with ctx.store.read() as reading:
        acting = actor(reading, who)
        restrictions = [] if processes is None else [user_task.c.bpmn_process_id.in_(sorted(processes))]
        groups = (wanted.conditions, *wanted.any_of)
        by_variables = any(item.field in _BY_VARIABLES for group in groups for item in group)
        visible = _visible(ctx, reading, acting, by_variables=by_variables)
        family, ordered = _family(reading, visible is None), _ordered(wanted)
        page = search(reading, family, ordered, *restrictions, visible=visible, farthest=SURELY)
        if visible is not None and page.more and len(page.rows) < ordered.page.limit:  # few among many: looked for by index
            own = [] if sees_every_case(acting) else [_theirs(acting)]
            page = search(reading, family, ordered, *restrictions, *own, visible=visible)
        return _views(reading, [row.key for row in page.rows]), page


def find_user_task(ctx: Context, key: int, who: str, *, processes: Collection[str] | None = None) -> UserTask:
    """Return one task; see `search_user_tasks`.

    Raises:
        NotFound: there is none, or the person may not know of it.
    """
    wanted = Search((Condition("user_task_key", "eq", key),), page=PageRequest(limit=1))
    found, _ = search_user_tasks(ctx, who, wanted, processes=processes)
    if not found:
        raise NotFound(f"没有任务 {key}（no such task）")
    return found[0]


def find_task_to_work_on(ctx: Context, key: int, who: str, *, processes: Collection[str] | None = None) -> UserTask:
    """Return one task that a person may know of, or that is offered to them and somebody else was quicker to take.

    Raises:
        NotFound: there is none.
    """
    try:
        return find_user_task(ctx, key, who, processes=processes)
    except NotFound:
        with ctx.store.read() as reading:
            row = reading.one(select(user_task).where(user_task.c.key == key))
            if row is None or (processes is not None and row.bpmn_process_id not in processes):
                raise
            acting = actor(reading, who)
            people = [acting.person, *(absent.person for absent in acting.absent)]
            offered = {*(row.candidate_groups or ()), *(f"user:{name}" for name in row.candidate_users or ())}
            if not any(is_offered(someone, sorted(offered)) for someone in people):
                raise
            return _views(reading, [key])[0]


def _views(reading: Reading, task_keys: Sequence[int]) -> list[UserTask]:
    found_rows = {row.key: row for row in reading.all(select(user_task).where(user_task.c.key.in_(task_keys)))}
    rows = [found_rows[key] for key in task_keys]
    keys = sorted({row.instance_key for row in rows})
    if not keys:
        return []
    cases = {row.key: row for row in reading.all(_CASES.where(process_instance.c.key.in_(keys)))}
    tags: dict[int, list[str]] = {}
    for found in reading.all(_TAGS.where(instance_tag.c.instance_key.in_(keys))):
        tags.setdefault(found.instance_key, []).append(found.tag)
    return [UserTask(row, cases[row.instance_key], tuple(tags.get(row.instance_key, ()))) for row in rows]


def _visible(
    ctx: Context, reading: Reading, acting: Actor, *, by_variables: bool
) -> Callable[[Sequence[Found]], Sequence[Found]] | None:
    sees_all = sees_every_case(acting)
    if sees_all and (not by_variables or acting.person.is_auditor):
        return None

    def seen(rows: Sequence[Found]) -> Sequence[Found]:
        found = list(rows)
        if not sees_all:
            keys = sorted({row.instance_key for row in rows})
            roots = {row.key: row.root_key for row in reading.all(_ROOTS.where(process_instance.c.key.in_(keys)))}
            known = visible_cases(reading, acting, sorted(set(roots.values())))
            found = [row for row in rows if roots[row.instance_key] in known or may_work(acting, row)]
        if by_variables:
            found = [row for row in found if may_work(acting, row) or not _is_hidden(ctx, reading, acting, row)]
        return found

    return seen


def _theirs(acting: Actor) -> ColumnElement[bool]:
    """Return a condition that holds for every task that a person may know of; it may hold for others besides."""
    names = [acting.username, *(absent.person.username for absent in acting.absent)]
    groups = sorted(acting.person.groups.union(*(absent.person.groups for absent in acting.absent)))
    words = [*groups, *(f"user:{name}" for name in names)]
    offered_to = type_coerce(message_subscription.c.offered_to, Text)
    member, case_of, own = process_instance.alias("member"), process_instance.alias("case_of"), user_task.alias("own")
    offered = select(task_candidate.c.task_key).where(
        or_(
            and_(task_candidate.c.kind == "group", task_candidate.c.name.in_(groups)),
            and_(task_candidate.c.kind == "user", task_candidate.c.name.in_(names)),
        )
    )
    worked = or_(*(own.c[name].in_(names) for name in ("assignee", "ended_by", "on_behalf_of")), own.c.key.in_(offered))
    told = alert_recipient.c.username.in_(names)
    instances = union(
        select(process_instance.c.key).where(process_instance.c.started_by.in_(names)),
        select(own.c.instance_key).where(worked),
        select(alert.c.instance_key).join(alert_recipient, alert_recipient.c.alert_key == alert.c.key).where(told),
        select(message_subscription.c.instance_key).where(
            or_(*(offered_to.contains(exact_json.dumps(word), autoescape=True) for word in words))
        ),
    )
    roots = select(case_of.c.root_key).where(case_of.c.key.in_(instances))
    return user_task.c.instance_key.in_(select(member.c.key).where(member.c.root_key.in_(roots)))


def _is_hidden(ctx: Context, reading: Reading, acting: Actor, row: Found) -> bool:
    definition = reading.scalar(select(process_instance.c.definition_key).where(process_instance.c.key == row.instance_key))
    version = ctx.library.process(reading, definition)
    hidden = hidden_scopes(ctx, reading, version, row.instance_key, acting.person)
    return bool(hidden & {row.key, row.scope_key, row.instance_key})


# --- what is searched by ----------------------------------------------------------------------------------------------


def _of_case(column: ColumnElement[Any]) -> ColumnElement[Any]:
    statement = select(column).where(process_instance.c.key == user_task.c.instance_key)
    return statement.correlate(user_task).scalar_subquery()


_STATE = case(*((user_task.c.state == ours, literal(word)) for word, ours in STATES.items()), else_=literal("UNKNOWN"))
_COLUMNS: dict[str, ColumnElement[Any]] = {
    "user_task_key": user_task.c.key,
    "element_instance_key": user_task.c.key,
    "process_instance_key": user_task.c.instance_key,
    "process_definition_id": user_task.c.bpmn_process_id,
    "process_definition_key": _of_case(process_instance.c.definition_key),
    "business_id": _of_case(process_instance.c.business_id),
    "tenant_id": literal(TENANT),
    "name": user_task.c.name,
    "element_id": user_task.c.element_id,
    "assignee": user_task.c.assignee,
    "priority": user_task.c.priority,
    "creation_date": user_task.c.created_at,
    "completion_date": user_task.c.ended_at,
    "follow_up_date": user_task.c.follow_up_at,
    "due_date": user_task.c.due_at,
    "key_order": user_task.c.key,
    "due_order": user_task.c.due_sort,
}
_NULLABLE = frozenset({"business_id", "assignee", "completion_date", "follow_up_date", "due_date"})


_ORDERED = {"creation_date": "key_order", "due_date": "due_order"}


def _ordered(wanted: Search) -> Search:
    # Keys are made in order of time: their order is the order of creation, and needs no index of its own.
    # Due dates have a column to sort by, which an index knows: without one comes last.
    order = tuple(Order(_ORDERED.get(item.field, item.field), item.descending) for item in wanted.order)
    return Search(wanted.conditions, wanted.any_of, order, wanted.page)


def _family(reading: Reading, sees_all: bool) -> Searchable:
    return Searchable(  # what is sorted is narrow; a page's rows are read by their keys
        statement=select(*(user_task.c[name] for name in (("key",) if sees_all else _RIGHTS))).select_from(user_task),
        columns=_COLUMNS,
        key=user_task.c.key,
        nullable=_NULLABLE,
        special={
            "state": _state,
            "candidate_group": _listed(reading, user_task.c.candidate_groups, "group"),
            "candidate_user": _listed(reading, user_task.c.candidate_users, "user"),
            "tags": _tags,
            "process_instance_variables": _variable(reading, user_task.c.instance_key),
            "local_variables": _variable(reading, user_task.c.key),
        },
    )


def _state(item: Condition) -> ColumnElement[bool]:
    if item.operator == "exists":
        return true() if item.value else false()
    if item.operator == "eq":
        if item.value == "CREATED":  # an index knows the word
            return IS_OPEN
        return user_task.c.state == STATES[item.value] if item.value in STATES else false()
    return compared(_STATE, item.operator, item.value)


def _listed(reading: Reading, column: ColumnElement[Any], kind: str) -> _Special:
    """Return conditions on the words of a list: one of them fulfils it (`neq`, `not_in`: none is among them)."""
    stored = type_coerce(column, Text)
    values: Any
    if reading.dialect == "postgresql":
        values = func.jsonb_array_elements_text(cast(stored, JSONB)).table_valued("value").render_derived()
    else:
        values = func.json_each(stored).table_valued("value")

    def condition(item: Condition) -> ColumnElement[bool]:
        if item.operator == "exists":
            return column.is_not(None) if item.value else column.is_(None)
        by = {"neq": "eq", "not_in": "in"}.get(item.operator, item.operator)
        one = exists(select(literal(1)).select_from(values).where(compared(values.c.value, by, item.value)).correlate(user_task))
        if by != item.operator:
            return not_(one)
        if by == "eq":  # what nobody has claimed has rows of its own for it; of the rest, first a look at the text
            waiting = select(task_candidate.c.task_key).where(task_candidate.c.kind == kind, task_candidate.c.name == item.value)
            taken = or_(user_task.c.assignee.is_not(None), not_(IS_OPEN))
            holds = and_(taken, stored.contains(exact_json.dumps(item.value), autoescape=True), one)
            return or_(user_task.c.key.in_(waiting), holds)
        return one

    return condition


def _tags(item: Condition) -> ColumnElement[bool]:
    tag = instance_tag.alias()
    of_case = tag.c.instance_key == user_task.c.instance_key
    return and_(*(exists(select(tag.c.tag).where(of_case, tag.c.tag == word).correlate(user_task)) for word in item.value))


def value_text(reading: Reading) -> ColumnElement[str]:
    """Return a variable's value as JSON text; the statement must join `blob`, where large values are."""
    as_text = func.convert_from(blob.c.content, "UTF8") if reading.dialect == "postgresql" else cast(blob.c.content, Text)
    stored = case((variable.c.digest.is_(None), type_coerce(variable.c.value, Text)), else_=as_text)
    return type_coerce(func.coalesce(stored, literal("null")), Text)


def json_text(value: Any, field: str) -> str:
    """Return how a value that a client gave as JSON text is stored.

    Raises:
        InvalidValue: it is no JSON.
    """
    try:
        return exact_json.dumps(exact_json.loads(value))
    except InvalidValue as error:
        message = f"变量的值要写成 JSON：{str(value)[:100]}（a value is JSON: a text stands in quotes）"
        raise InvalidValue(message, field=field) from error


def compared_json(column: ColumnElement[str], item: Condition, value: Any, field: str) -> ColumnElement[bool]:
    """Return a condition on a value's JSON text."""
    if item.operator in {"like", "exists"}:
        return compared(column, item.operator, value)
    texts = [json_text(each, field) for each in value] if isinstance(value, list) else json_text(value, field)
    return compared(column, item.operator, texts)


def _variable(reading: Reading, scope: ColumnElement[int]) -> _Special:
    text = value_text(reading)

    def condition(item: Condition) -> ColumnElement[bool]:
        name, value = item.value
        field = {"local_variables": "filter.localVariables"}.get(item.field, "filter.processInstanceVariables")
        found = exists(
            select(variable.c.name)
            .join_from(variable, blob, blob.c.digest == variable.c.digest, isouter=True)
            .where(
                variable.c.instance_key == user_task.c.instance_key,
                variable.c.scope_key == scope,
                variable.c.name == name,
                not_(variable.c.name.startswith("#")),
                true() if item.operator == "exists" else compared_json(text, item, value, field),
            )
            .correlate(user_task)
        )
        return not_(found) if item.operator == "exists" and not value else found

    return condition
