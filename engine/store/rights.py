"""Who may work on a task and who may see a case: the one place where this is decided, for commands and queries alike.

An exclusion (`excludedUsers`) comes before everything: neither a group nor an assignment nor a substitution gets around it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import BindParameter, and_, bindparam, exists, or_, select

from engine.definitions import Element
from engine.errors import Excluded, NotAllowed, TaskAlreadyClaimed
from engine.store.directory import Person, Substitution, find_person, person, substitutions
from engine.store.library import ProcessVersion
from engine.store.tables import alert, alert_recipient, message_subscription, process_instance, task_candidate, user_task
from engine.store.transactions import Found, Reading


@dataclass(frozen=True, slots=True)
class Absent:
    """Somebody absent, for whom a person stands in."""

    person: Person
    scope: Substitution


@dataclass(frozen=True, slots=True)
class Actor:
    """A person who acts, and for whom they may act."""

    person: Person
    absent: tuple[Absent, ...] = field(default=())

    @property
    def username(self) -> str:
        """The person's own username."""
        return self.person.username


def actor(reading: Reading, username: str) -> Actor:
    """Return the person with those they stand in for at this moment.

    Raises:
        NotFound: there is no such active user.
    """
    return Actor(person(reading, username), _absent(reading, username))


def _absent(reading: Reading, username: str) -> tuple[Absent, ...]:
    found = ((find_person(reading, scope.absent), scope) for scope in substitutions(reading, username))
    return tuple(Absent(someone, scope) for someone, scope in found if someone is not None)


def check_may_work(reading: Reading, who: Person, task: Found, on_behalf_of: str | None = None) -> str | None:
    """Check that a person may claim or complete a task; return the absent person they act for, None = themselves.

    Args:
        task: a row with the columns of `user_task`.
        on_behalf_of: the absent person they say they act for; None = found where they may not act for themselves.
    Raises:
        Excluded: the person has an interest in the case.
        TaskAlreadyClaimed: somebody else has claimed it.
        NotAllowed: the task is offered to others.
    """
    excluded: Collection[str] = task.excluded_users or ()
    if who.username in excluded:
        raise Excluded(f"{who.name} 与本事项有利害关系，不得办理（has an interest in this case）", element_id=task.element_id)
    if on_behalf_of is None and _own(who, task):
        return None
    for absent in _absent(reading, who.username):
        if on_behalf_of in {None, absent.person.username} and _may_for(absent, task, who.username):
            return absent.person.username
    if task.assignee is not None and task.assignee != who.username:
        raise TaskAlreadyClaimed(by=task.assignee, element_id=task.element_id)
    raise NotAllowed("任务未分配给您（the task is offered to others）", element_id=task.element_id)


def check_administers(reading: Reading, by: str | None) -> None:
    """Check that somebody may deploy and correct cases, people and calendars: the system, an administrator, a program's own user.

    Args:
        by: username; None = the system.
    Raises:
        NotAllowed: they are no administrator.
        NotFound: there is no such active user.
    """
    if by is not None and not ((who := person(reading, by)).is_admin or who.external):
        raise NotAllowed("只有管理员可以这样做（administrators only）")


def may_start(who: Person, version: ProcessVersion) -> bool:
    """Whether a person may start a process by hand (`candidateStarterGroups`; administrators may)."""
    return who.is_admin or who.external or not who.groups.isdisjoint(version.process.candidate_starter_groups)


def may_work(acting: Actor, task: Found) -> bool:
    """Whether a person may claim or complete a task, for themselves or for somebody absent."""
    if acting.username in (task.excluded_users or ()):
        return False
    return _own(acting.person, task) or any(_may_for(absent, task, acting.username) for absent in acting.absent)


def _own(who: Person, task: Found) -> bool:
    """Theirs without standing in for anybody: assigned (and not claimed for an absent person), or offered."""
    if task.assignee is not None:
        return bool(task.assignee == who.username and (task.on_behalf_of is None or who.external))
    return _is_candidate(who, task)


def _may_for(absent: Absent, task: Found, username: str) -> bool:
    if absent.person.username in (task.excluded_users or ()):
        return False
    if task.assignee == username:  # claimed earlier on behalf of somebody: as long as the substitution lasts
        return bool(task.on_behalf_of == absent.person.username)
    return _covers(absent, task)


def _is_candidate(who: Person, task: Found) -> bool:
    groups, users = task.candidate_groups or (), task.candidate_users or ()
    if who.username in users or not who.groups.isdisjoint(groups):
        return True
    return who.external or (who.is_admin and not groups and not users)


def _covers(absent: Absent, task: Found) -> bool:
    scope, groups = absent.scope, task.candidate_groups or ()
    if not scope.covers_process(task.bpmn_process_id):
        return False
    if task.assignee is not None:  # an assigned task: the absent person's own, and in scope
        return task.assignee == absent.person.username and (scope.groups is None or any(map(scope.covers_group, groups)))
    if scope.groups is None and absent.person.username in (task.candidate_users or ()):
        return True
    return any(group in absent.person.groups and scope.covers_group(group) for group in groups)


def may_see_scope(who: Person, visible_to: Sequence[str] | None) -> bool:
    """Whether a person may read the variables of a scope that is still open."""
    return visible_to is None or who.is_auditor or not who.groups.isdisjoint(visible_to)


_CASE = select(process_instance.c.root_key).where(process_instance.c.key == bindparam("instance"))
_NAMES: BindParameter[str] = bindparam("names", expanding=True)
# A case is all instances below one root: whoever works in a called process may see the caller too.
_MEMBER = process_instance.alias("member")
_OF_CASE = _MEMBER.c.root_key == process_instance.c.key
_ROOTS = process_instance.c.key.in_(bindparam("roots", expanding=True))
_CANDIDATE = exists(
    select(task_candidate.c.task_key).where(
        task_candidate.c.task_key == user_task.c.key,
        or_(
            and_(task_candidate.c.kind == "group", task_candidate.c.name.in_(bindparam("groups", expanding=True))),
            and_(task_candidate.c.kind == "user", task_candidate.c.name.in_(_NAMES)),
        ),
    )
)
_TOLD = exists(
    select(alert_recipient.c.alert_key).where(alert_recipient.c.alert_key == alert.c.key, alert_recipient.c.username.in_(_NAMES))
)
_WAYS = or_(
    _MEMBER.c.started_by.in_(_NAMES),
    exists(
        select(user_task.c.key).where(
            user_task.c.instance_key == _MEMBER.c.key,
            or_(user_task.c.assignee.in_(_NAMES), user_task.c.ended_by.in_(_NAMES), user_task.c.on_behalf_of.in_(_NAMES)),
        )
    ),
    exists(
        select(user_task.c.key).where(user_task.c.instance_key == _MEMBER.c.key, _CANDIDATE)  # one in another: in this order
    ),
    exists(select(alert.c.key).where(alert.c.instance_key == _MEMBER.c.key, _TOLD)),
)
_SEEN = select(process_instance.c.key).where(_ROOTS, exists(select(_MEMBER.c.key).where(_OF_CASE, _WAYS)))
_OFFERS = (
    select(process_instance.c.key, message_subscription.c.offered_to)
    .join_from(process_instance, _MEMBER, _OF_CASE)
    .join(message_subscription, message_subscription.c.instance_key == _MEMBER.c.key)
    .where(_ROOTS, message_subscription.c.offered_to.is_not(None))
)


def sees_every_case(acting: Actor) -> bool:
    """Whether a person may see all cases: administrators, auditors, and those for whom an embedding program vouches."""
    return acting.person.is_admin or acting.person.is_auditor or acting.person.external


def may_see_instance(reading: Reading, acting: Actor, instance_key: int) -> bool:
    """Whether a person may see a case: administrators, auditors, who started it, who works or worked in it, who was told of it.

    A case is the outermost instance with everything called below it.
    """
    if sees_every_case(acting):
        return True
    root = reading.scalar(_CASE, {"instance": instance_key})
    return root is not None and bool(visible_cases(reading, acting, [root]))


def visible_cases(reading: Reading, acting: Actor, roots: Sequence[int]) -> set[int]:
    """Return those of some cases (keys of outermost instances) that a person may see; see `may_see_instance`."""
    if sees_every_case(acting):
        return set(roots)
    names = [acting.username, *(absent.person.username for absent in acting.absent)]
    groups = set(acting.person.groups).union(*(absent.person.groups for absent in acting.absent))
    found = {row.key for row in reading.all(_SEEN, {"roots": list(roots), "names": names, "groups": sorted(groups)})}
    if left := [root for root in roots if root not in found]:
        offers = reading.all(_OFFERS, {"roots": left})
        found.update(row.key for row in offers if is_offered(acting.person, row.offered_to))
    return found


def may_start_in(who: Person, element: Element) -> bool:
    """Whether a person may choose what starts in an ad-hoc sub-process: those it is offered to, and administrators."""
    words = element.offered_to.text if element.offered_to is not None else ""
    offered_to = [word.strip() for word in words.replace("，", ",").split(",") if word.strip()]
    return who.is_admin or who.external or is_offered(who, offered_to)


def is_offered(who: Person, offered_to: Sequence[str] | None) -> bool:
    """Whether an event is offered to a person: by a group's id, or as `user:<username>`."""
    return any(word in who.groups or word == f"user:{who.username}" for word in offered_to or ())
