"""User tasks: search, get, the form, variables; assign, give back, complete.

Who may is decided by the commands of the pages. What a person may not know of does not exist for them.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from engine import commands, queries
from engine.commands import task_updates
from engine.errors import InvalidSubmission, NotFound
from engine.queries import user_tasks, variable_search
from engine.queries.searching import Condition, Search
from engine.queries.user_tasks import UserTask
from webui import access
from webui.v2.authentication import Caller
from webui.v2.problems import ApiProblem
from webui.v2.process_definitions import FormResult
from webui.v2.routing import Router
from webui.v2.schemas import (
    TENANT,
    Filter,
    Id,
    IntegerFilter,
    Key,
    KeyFilter,
    Model,
    Moment,
    MomentFilter,
    Operators,
    SearchRequest,
    SearchResponse,
    StringFilter,
    Text,
    Variables,
    filter_of,
)
from webui.v2.variables import SortField as VariableSortField
from webui.v2.variables import Truncation, VariableSearchResult, found_variable

router = Router("User task")

State = Literal[
    "ASSIGNING", "CANCELED", "CANCELING", "COMPLETED", "COMPLETING", "CREATED", "CREATING", "FAILED", "UPDATING"
]  # fmt: skip
Tag = Annotated[str, StringConstraints(min_length=1, max_length=100)]
_FIELDS = {"due_date": "due_at", "follow_up_date": "follow_up_at"}
_WORDS = {ours: word for word, ours in user_tasks.STATES.items()}


class TaskVariableValueFilter(Model):
    """A variable by its name and its value, which is JSON text."""

    name: Id
    value: StringFilter


class UserTaskFields(Filter):
    """What user tasks are searched by."""

    state: filter_of("UserTaskStateOperators", State, like=True) = None  # type: ignore[valid-type]  # made, not written
    assignee: StringFilter = None
    business_id: StringFilter = None
    priority: IntegerFilter = None
    element_id: Id | None = None
    name: StringFilter = None
    candidate_group: StringFilter = None
    candidate_user: StringFilter = None
    tenant_id: StringFilter = None
    process_definition_id: StringFilter = None
    creation_date: MomentFilter = None
    completion_date: MomentFilter = None
    follow_up_date: MomentFilter = None
    due_date: MomentFilter = None
    process_instance_variables: list[TaskVariableValueFilter] | None = Field(default=None, max_length=50)
    local_variables: list[TaskVariableValueFilter] | None = Field(default=None, max_length=50)
    user_task_key: Key | None = None
    process_definition_key: KeyFilter = None
    process_instance_key: KeyFilter = None
    element_instance_key: Key | None = None
    tags: list[Tag] | None = Field(default=None, max_length=10)

    APART: ClassVar[frozenset[str]] = frozenset({"process_instance_variables", "local_variables", "or_"})

    def conditions(self) -> tuple[Condition, ...]:
        """Return the engine's conditions."""
        found = list(super().conditions())
        for name in ("process_instance_variables", "local_variables"):
            for item in getattr(self, name) or ():
                if isinstance(item.value, Operators):
                    found += [Condition(name, each.operator, (item.name, each.value)) for each in item.value.conditions("")]
                else:
                    found.append(Condition(name, "eq", (item.name, item.value)))
        return tuple(found)


class UserTaskFilter(UserTaskFields):
    """What user tasks are searched by; of `$or`, one group holds besides."""

    or_: list[UserTaskFields] | None = Field(default=None, alias="$or", max_length=50)


class UserTaskSearch(
    SearchRequest[
        UserTaskFilter,
        Literal["businessId", "completionDate", "creationDate", "dueDate", "followUpDate", "name", "priority"],
    ]
):
    """A search of user tasks."""

    def wanted(self) -> Search:
        """Return the engine's search."""
        return self.search(any_of=self.filter.or_ if self.filter else None)


class UserTaskResult(Model):
    """A user task."""

    name: str | None
    state: State
    assignee: str | None
    element_id: str
    candidate_groups: list[str]
    candidate_users: list[str]
    process_definition_id: str
    creation_date: Moment
    completion_date: Moment | None
    follow_up_date: Moment | None
    due_date: Moment | None
    tenant_id: str
    external_form_reference: str | None
    process_definition_version: int
    custom_headers: dict[str, str]
    user_task_key: Key
    element_instance_key: Key
    process_name: str | None
    process_definition_key: Key
    process_instance_key: Key
    root_process_instance_key: Key | None
    business_id: str | None
    form_key: Key | None
    tags: list[str]
    priority: int


def _result(found: UserTask) -> UserTaskResult:
    row, case = found.row, found.case
    return UserTaskResult(
        name=row.name or None,
        state=_WORDS[row.state],  # type: ignore[arg-type]  # a word of State
        assignee=row.assignee,
        element_id=row.element_id,
        candidate_groups=list(row.candidate_groups or ()),
        candidate_users=list(row.candidate_users or ()),
        process_definition_id=row.bpmn_process_id,
        creation_date=row.created_at,
        completion_date=row.ended_at,
        follow_up_date=row.follow_up_at,
        due_date=row.due_at,
        tenant_id=TENANT,
        external_form_reference=row.external_form,
        process_definition_version=case.version,
        custom_headers={},
        user_task_key=row.key,
        element_instance_key=row.key,
        process_name=case.name or None,
        process_definition_key=case.definition_key,
        process_instance_key=row.instance_key,
        root_process_instance_key=case.root_key,
        business_id=case.business_id,
        form_key=row.form_key,
        tags=list(found.tags),
        priority=row.priority,
    )


def task_of(caller: Caller, key: int) -> UserTask:
    """Return a task that the caller may know of.

    Raises:
        NotFound: there is none.
    """
    return access.ask(user_tasks.find_user_task, key, caller.username, processes=caller.processes)


@router.post("/user-tasks/search", scope="read")
def search_user_tasks(caller: Caller, body: UserTaskSearch | None) -> SearchResponse[UserTaskResult]:
    """Search user tasks."""
    wanted = (body or UserTaskSearch()).wanted()
    found, page = access.ask(user_tasks.search_user_tasks, caller.username, wanted, processes=caller.processes)
    return SearchResponse[UserTaskResult].of([_result(item) for item in found], page)


@router.get("/user-tasks/{userTaskKey}", scope="read", errors=(404,))
def get_user_task(caller: Caller, user_task_key: Key) -> UserTaskResult:
    """Get a user task."""
    return _result(task_of(caller, user_task_key))


@router.get("/user-tasks/{userTaskKey}/form", scope="read", errors=(404,))
def get_user_task_form(caller: Caller, user_task_key: Key) -> FormResult | None:
    """Get the form of a user task: the version that was in force when the task was created."""
    row = task_of(caller, user_task_key).row
    if row.form_key is None:
        if row.form_id is not None:
            raise NotFound(f"没有已部署的表单 {row.form_id}（the task's form is not deployed）")
        return None
    return form_of(row.form_key)


def form_of(key: int) -> FormResult:
    """Return a version of a form.

    Raises:
        NotFound: there is none.
    """
    form = next((item for item in access.ask(queries.resources, "form") if item.key == key), None)
    if form is None:
        raise NotFound(f"没有表单 {key}（no such form）")
    content = access.ask(queries.definition_file, key, "form")[1].decode("utf-8", errors="replace")
    return FormResult(tenant_id=TENANT, form_id=form.id, schema=content, version=form.version, form_key=key)


# --- variables --------------------------------------------------------------------------------------------------------


class UserTaskVariableFilter(Filter):
    """What a task's variables are searched by."""

    name: StringFilter = None


class UserTaskVariableSearch(SearchRequest[UserTaskVariableFilter, VariableSortField]):
    """A search of a task's variables."""


@router.post("/user-tasks/{userTaskKey}/variables/search", scope="read", errors=(404,))
def search_user_task_variables(
    caller: Caller, user_task_key: Key, query: Truncation, body: UserTaskVariableSearch | None
) -> SearchResponse[VariableSearchResult]:
    """Search the variables of a task's scope and of those around it."""
    return _variables(caller, user_task_key, query, body, effective=False)


@router.post("/user-tasks/{userTaskKey}/effective-variables/search", scope="read", errors=(404,))
def search_user_task_effective_variables(
    caller: Caller, user_task_key: Key, query: Truncation, body: UserTaskVariableSearch | None
) -> SearchResponse[VariableSearchResult]:
    """Search the variables that a task sees: of several of the same name the innermost."""
    return _variables(caller, user_task_key, query, body, effective=True)


def _variables(
    caller: Caller, key: int, query: Truncation, body: UserTaskVariableSearch | None, *, effective: bool
) -> SearchResponse[VariableSearchResult]:
    page = access.ask(
        variable_search.search_task_variables,
        key,
        caller.username,
        (body or UserTaskVariableSearch()).search(),
        effective=effective,
        processes=caller.processes,
    )
    return SearchResponse[VariableSearchResult].of([found_variable(row, query) for row in page.rows], page)


# --- work -------------------------------------------------------------------------------------------------------------


class UserTaskAssignment(Model):
    """Who is to work on the task. `allowOverride` false: not if somebody else has it. `action` is noted in the journal."""

    assignee: Id
    allow_override: bool | None = None
    action: Text | None = None


class UserTaskCompletion(Model):
    """What is submitted. `action` is noted in the journal."""

    variables: Variables | None = None
    action: Text | None = None


class Changeset(Model):
    """What is changed: what is null or left out stays. An empty list takes the candidates away, an empty text a date."""

    due_date: Moment | Literal[""] | None = None
    follow_up_date: Moment | Literal[""] | None = None
    candidate_users: list[Id] | None = Field(default=None, max_length=1000)
    candidate_groups: list[Id] | None = Field(default=None, max_length=1000)
    priority: int | None = Field(default=None, ge=0, le=100)


class UserTaskUpdate(Model):
    """A change of a task. `action` is noted in the journal."""

    changeset: Changeset | None = None
    action: Text | None = None


def _to_work_on(caller: Caller, key: int) -> UserTask:
    return access.ask(user_tasks.find_task_to_work_on, key, caller.username, processes=caller.processes)


@router.post("/user-tasks/{userTaskKey}/assignment", scope="tasks", errors=(404, 409))
def assign_user_task(caller: Caller, user_task_key: Key, body: UserTaskAssignment) -> None:
    """Assign a user task: to oneself as who takes it in the inbox does, to others as the assignee and administrators may."""
    _to_work_on(caller, user_task_key)
    access.run(
        task_updates.hand_over,
        user_task_key,
        body.assignee,
        caller.username,
        override=body.allow_override is not False,
        reason=body.action or "",
    )


@router.delete("/user-tasks/{userTaskKey}/assignee", scope="tasks", errors=(404, 409))
def unassign_user_task(caller: Caller, user_task_key: Key) -> None:
    """Give a user task back to those it is offered to."""
    _to_work_on(caller, user_task_key)
    access.run(commands.unclaim_task, user_task_key, caller.username)


@router.patch("/user-tasks/{userTaskKey}", scope="tasks", errors=(404, 409))
def update_user_task(caller: Caller, user_task_key: Key, body: UserTaskUpdate | None) -> None:
    """Change dates, candidates and priority of a user task, as administrators may."""
    _to_work_on(caller, user_task_key)
    given = body or UserTaskUpdate()
    changes: dict[str, Any] = {
        _FIELDS.get(name, name): None if value == "" else value
        for name in Changeset.model_fields
        if given.changeset is not None and (value := getattr(given.changeset, name)) is not None
    }
    access.run(task_updates.update_task, user_task_key, caller.username, changes, reason=given.action or "")


@router.post("/user-tasks/{userTaskKey}/completion", scope="tasks", errors=(404, 409))
def complete_user_task(caller: Caller, user_task_key: Key, body: UserTaskCompletion | None) -> None:
    """Complete a user task; what is submitted is checked against its form. Signed decisions are signed on their page."""
    task = _to_work_on(caller, user_task_key).row
    if task.signed and task.state == "OPEN":
        raise ApiProblem(
            403,
            "此决定须在页面上重新输入密码签名（this decision is signed with the password, entered again on its page;"
            " this API has no place for it）",
            elementId=task.element_id,
        )
    given = body or UserTaskCompletion()
    try:
        access.run(commands.complete_task, user_task_key, given.variables, caller.username, reason=given.action or "")
    except InvalidSubmission as error:
        found = [{"field": f"variables.{item.field}", "message": item.message_en or item.message} for item in error.problems]
        field = found[0]["field"] if found else "variables"
        raise ApiProblem(400, error.message, field=field, errors=found) from error
