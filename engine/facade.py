"""The engine as programs embed it.

    from engine import Engine

    engine = Engine.open("sqlite:///cases.db")                      # "sqlite://" = in memory; a new database is migrated
    report = engine.deploy({"leave.bpmn": Path("leave.bpmn").read_bytes()}, by="anna")
    case = engine.start("leave", {"days": 3}, by="anna")
    task = engine.tasks(instance=case)[0]                           # .key .element_id .name .due_at .candidate_groups …
    engine.claim(task.key, by="ben")
    engine.complete(task.key, {"approved": True}, by="ben")
    engine.publish("contract-registered", "C-17", ttl=timedelta(days=1))
    engine.run_due()                                                # or `with engine.driver():`, which fires timers by itself
    engine.variables(case), engine.element_instances(case), engine.incidents(case), engine.journal(case)

Each method is one command or one query; a command does what it leaves behind (messages, called processes, built-in jobs) before
it returns. Mail and webhooks wait for `run_due` or the driver: a slow server holds nobody up. `by` may be anybody: whom the
engine does not know, the program vouches for. Accounts are added with `add_user`.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from engine import commands, jobs, queries
from engine.calendars import Calendar
from engine.clock import Clock, as_clock
from engine.commands import check_resources
from engine.definitions import Report
from engine.errors import InvalidValue
from engine.history import evidence, verification
from engine.history import export as exports
from engine.kernel import Activation
from engine.keys import Keys
from engine.ports import Ports
from engine.queries.records import Alert, ElementInstance, Group, Incident, Instance, JournalEvent, Offer, Task, User
from engine.settings import Settings
from engine.store import Store, leases, migration
from engine.store.cases import CaseFilter
from engine.store.context import Context
from engine.store.database import in_memory
from engine.store.library import process_key

__all__ = ["Engine", "check_resources", "migrate"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class CalendarView:
    """The working days in force."""

    days: Calendar

    def provisional(self, year: int) -> bool:
        """Whether the year's notice is not published: its deadlines are counted Monday to Friday."""
        return year not in self.days.years


class Engine:
    """Definitions, cases, tasks and people on one database. Safe to share between threads."""

    def __init__(self, context: Context, owner: str, node: int | None) -> None:
        """Use `Engine.open`."""
        self._context = context
        self._owner = owner
        self._node = node
        self._vouched: set[str] = set()

    @classmethod
    def open(
        cls,
        url: str = "sqlite://",
        clock: Clock | Callable[[], datetime] | datetime | None = None,
        *,
        settings: Settings | None = None,
        ports: Ports | None = None,
    ) -> Self:
        """Open the engine on a database; a database behind this version is migrated.

        Args:
            url: SQLAlchemy URL of SQLite or PostgreSQL; `sqlite://` = in memory.
            clock: a clock, a function that returns an aware moment, or a moment at which time stands still until `engine.clock`
                is turned; None = the machine's clock.
            settings: time zone, limits, …; the defaults where it is not given.
            ports: ways out (mail, webhook); none where it is not given.
        """
        chosen = settings or Settings()
        time = as_clock(clock)
        store = Store(url, time, synchronous=chosen.sqlite_synchronous)
        if not migration.is_current(store.engine):
            store.migrate()
        owner = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        node = None if in_memory(store.engine) else leases.lease_node(store, owner)
        return cls(Context(store, time, Keys(node or 0), chosen, ports or Ports()), owner, node)

    def close(self) -> None:
        """Give the database back."""
        if self._node is not None:
            leases.release_node(self._context.store, self._node, self._owner)
            self._node = None
        self._context.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def context(self) -> Context:
        """What commands and queries are handed first."""
        return self._context

    @property
    def clock(self) -> Clock:
        """The clock that the engine was opened with."""
        return self._context.clock

    @property
    def calendar(self) -> CalendarView:
        """The working days in force now."""
        with self._context.store.read() as reading:
            return CalendarView(self._context.working_days.calendar(reading))

    # --- definitions and cases

    def deploy(self, resources: Mapping[str, bytes | str], by: str | None = None) -> Report:
        """Deploy files together (name → content) and return the report.

        Raises:
            DeploymentRefused: a file has refusals; it carries the report, and nothing was changed.
            NotAllowed: `by` has an account here and is no administrator.
        """
        files = {name: content.encode() if isinstance(content, str) else content for name, content in resources.items()}
        return self._run(commands.deploy, by, files, by).report

    def definition_key(self, bpmn_process_id: str, version: int | None = None) -> int:
        """Return the key of a process's newest version, or of the version named."""
        with self._context.store.read() as reading:
            return process_key(reading, bpmn_process_id, version)

    def start(
        self,
        bpmn_process_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        business_id: str | None = None,
        by: str | None = None,
        version: int | None = None,
        at: Sequence[str] = (),
        idempotency_key: str | None = None,
    ) -> int:
        """Start a case of a process's newest version (or the one named) and return its key.

        Args:
            at: ids of elements to start before, instead of the start event.
            idempotency_key: the same key again gives the first answer.
        """
        return self._run(
            commands.start_instance,
            by,
            bpmn_process_id,
            variables,
            business_id,
            by,
            version,
            at=at,
            idempotency_key=idempotency_key,
        )

    def submit(self, bpmn_process_id: str, data: Mapping[str, Any], by: str, *, business_id: str | None = None) -> int:
        """Start a case with its start form, checked as a person's submission is, and return its key."""
        return self._run(commands.submit_start_form, by, bpmn_process_id, data, by, business_id=business_id)

    def cancel(self, key: int, *, by: str | None = None, reason: str) -> None:
        """End a case and everything in it."""
        self._run(commands.cancel_instance, by, key, by, reason)

    def suspend(self, key: int, *, by: str | None = None, reason: str) -> None:
        """Suspend a case: its tasks are locked."""
        self._run(commands.suspend_instance, by, key, by, reason)

    def resume(self, key: int, *, by: str | None = None, reason: str = "") -> None:
        """Let a suspended case go on."""
        self._run(commands.resume_instance, by, key, by, reason)

    def migrate(
        self,
        key: int,
        version: int | None = None,
        *,
        process_id: str | None = None,
        mapping: Mapping[str, str | None] | None = None,
        by: str | None = None,
        reason: str,
    ) -> None:
        """Move a running case to another version of its process (default: the newest), or of another process.

        Args:
            mapping: source element id → target element id where they differ; None for a boundary event, an event sub-process or
                an event behind an event-based gateway: its subscription is opened anew.
        Raises:
            MigrationRefused: something in the case cannot be moved; `preview_migration` says what.
        """
        target = self._definition(key, version, process_id)
        self._run(commands.migrate_instance, by, key, target, by, reason, mapping)

    def preview_migration(
        self,
        key: int,
        version: int | None = None,
        *,
        process_id: str | None = None,
        mapping: Mapping[str, str | None] | None = None,
    ) -> queries.InstancePreview:
        """Return what `migrate` would do: `.plan.moves`, `.plan.closed`, `.plan.opened`, `.plan.obstacles`, `.tasks`, `.due`."""
        return queries.preview_migration(self._context, key, self._definition(key, version, process_id), mapping)

    def preview_migrations(
        self,
        source: int,
        target: int,
        *,
        mapping: Mapping[str, str | None] | None = None,
        keys: Sequence[int] = (),
        cases: CaseFilter | None = None,
    ) -> queries.MigrationPreview:
        """Return what migrating cases of one definition (its key) to another (its key) would do."""
        return queries.preview_migrations(self._context, source, target, mapping, keys=keys, cases=cases)

    def change_many(
        self,
        change: commands.Change | str,
        *,
        keys: Sequence[int] = (),
        cases: CaseFilter | None = None,
        by: str | None = None,
        reason: str,
    ) -> queries.Batch:
        """Do something to many cases, each in a transaction of its own; return how it went.

        Args:
            change: cancel | suspend | resume | retry, or a `Change` with what else it needs (`migrate`).
            keys: these cases.
            cases: or those that a filter means.
        """
        what = commands.Change(change) if isinstance(change, str) else change
        key = self._run(commands.start_batch, by, what, by, reason, keys=keys, cases=cases)
        jobs.drain(self._context, types=jobs.INNER | jobs.BATCHES)
        return queries.find_batch(self._context, key)

    def batch(self, key: int) -> queries.Batch:
        """Return how far a batch is: `.total`, `.done`, `.failed`, `.failures`."""
        return queries.find_batch(self._context, key)

    def modify(
        self,
        key: int,
        *,
        activate: Sequence[Activation | str] = (),
        terminate: Sequence[int | str] = (),
        by: str | None = None,
        reason: str,
    ) -> None:
        """Correct where a case stands: activate before elements, terminate element instances (keys) or all of an element (ids).

        Both together move a token: what is activated is entered first, so that the scope does not end in between.
        """
        self._run(commands.modify_instance, by, key, by, reason, activate=activate, terminate=terminate)

    def start_in_ad_hoc(self, key: int, ad_hoc_key: int, elements: Sequence[str], by: str | None = None) -> None:
        """Start elements of an ad-hoc sub-process that lives in a case."""
        self._run(commands.start_in_ad_hoc, by, key, ad_hoc_key, elements, by)

    def set_variables(self, key: int, variables: Mapping[str, Any], by: str | None = None) -> None:
        """Set variables of a case."""
        self._run(commands.set_variables, by, key, variables, by)

    def instance(self, key: int) -> Instance:
        """Return a case (`.state`, `.business_id`, `.suspended_reason`, …)."""
        return queries.find_instance(self._context, key)

    def children(self, key: int) -> tuple[Instance, ...]:
        """Return the cases that a case called, in order."""
        return queries.children(self._context, key)

    def variables(self, key: int) -> dict[str, Any]:
        """Return the variables of a case, or those that a task sees; whole numbers are int, others Decimal."""
        return queries.variables(self._context, key)

    def element_instances(self, key: int) -> tuple[ElementInstance, ...]:
        """Return a case's element instances in order of entering: `.element_id`, `.type`, `.state`."""
        return queries.element_states(self._context, key)

    def journal(self, key: int) -> tuple[JournalEvent, ...]:
        """Return every event of a case, in order: `.kind`, `.at`, `.actor`, `.payload`."""
        return queries.journal_events(self._context, key)

    # --- tasks

    def tasks(
        self,
        instance: int | None = None,
        assignee: str | None = None,
        group: str | None = None,
        *,
        for_user: str | None = None,
        element_id: str | None = None,
    ) -> tuple[Task, ...]:
        """Return open tasks, the most urgent first; conditions hold together. `for_user`: on which this person may work."""
        found = {"instance": instance, "assignee": assignee, "group": group, "for_user": for_user, "element_id": element_id}
        return queries.find_tasks(self._context, **found)  # type: ignore[arg-type]  # one mapping for five keywords

    def may_work(self, task_key: int, username: str) -> bool:
        """Whether a person may claim or complete a task."""
        return queries.may_work_on(self._context, task_key, username)

    def claim(self, task_key: int, by: str) -> None:
        """Take a task."""
        self._run(commands.claim_task, by, task_key, by)

    def unclaim(self, task_key: int, by: str | None = None) -> None:
        """Give a task back to those it is offered to."""
        self._run(commands.unclaim_task, by, task_key, by)

    def assign(self, task_key: int, to: str | None, by: str | None = None, reason: str = "") -> None:
        """Hand a task to a person; None = back to those it is offered to."""
        self._vouch(to)
        self._run(commands.assign_task, by, task_key, to, by, reason)

    def complete(
        self,
        task_key: int,
        variables: Mapping[str, Any] | None = None,
        by: str | None = None,
        *,
        password: str | None = None,
        on_behalf_of: str | None = None,
        reason: str = "",
        form_hash: str | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        """Complete a task with the submission of its form.

        Args:
            password: signs, where the task is signed.
            on_behalf_of: the absent person `by` acts for; None = found by the substitutions where `by` may not act alone.
        """
        self._run(
            commands.complete_task,
            by,
            task_key,
            variables,
            by,
            password=password,
            on_behalf_of=on_behalf_of,
            reason=reason,
            form_hash=form_hash,
            idempotency_key=idempotency_key,
        )

    def save_draft(self, task_key: int, data: Mapping[str, Any], by: str) -> None:
        """Keep what a person typed into a task's form."""
        self._run(commands.save_draft, by, task_key, data, by)

    def attach(self, name: str, content_type: str, content: bytes, by: str) -> dict[str, Any]:
        """Store an upload; return the value of a file field: `{name, size, digest, contentType}`."""
        return self._run(commands.stage_attachment, by, name, content_type, content, by)

    # --- events

    def publish(
        self,
        message: str,
        correlation_key: str = "",
        variables: Mapping[str, Any] | None = None,
        ttl: timedelta | float | None = None,
        *,
        message_id: str | None = None,
        by: str | None = None,
    ) -> int:
        """Publish a message and return its key; `ttl`: how long (or how many seconds) it waits for receivers that come later."""
        lasts = timedelta(seconds=ttl) if isinstance(ttl, int | float) else ttl
        return self._run(commands.publish_message, by, message, correlation_key, variables, lasts, message_id, by)

    def broadcast(self, signal: str, variables: Mapping[str, Any] | None = None, by: str | None = None) -> int:
        """Broadcast a signal; return how many cases it reaches or starts."""
        return self._run(commands.broadcast_signal, by, signal, variables, by)

    def subscriptions(self, key: int) -> tuple[Offer, ...]:
        """Return the messages that a case waits for."""
        return queries.subscriptions(self._context, key)

    def trigger(self, subscription_key: int, data: Mapping[str, Any] | None = None, by: str | None = None) -> None:
        """Trigger an event that is offered to people, with its form."""
        self._run(commands.trigger_subscription, by, subscription_key, data, by)

    # --- due work, jobs, incidents

    def run_due(self) -> int:
        """Fire what is due now, in order of due time, do what it causes, and send what waits; return how many timers fired."""
        return jobs.run_due(self._context)

    def drain(self) -> None:
        """Do the engine's own work that is due now: messages, called processes, built-in jobs; not mail and webhooks."""
        jobs.drain(self._context, types=jobs.INNER)

    def next_due(self) -> datetime | None:
        """Return when the next timer or built-in job is due (perhaps past); None = nothing waits."""
        return jobs.next_due(self._context)

    @contextmanager
    def driver(self) -> Iterator[None]:
        """Fire timers and do due work in the background while the block runs."""
        driver = jobs.Driver(self._context)
        driver.start()
        try:
            yield
        finally:
            driver.stop()

    def activate_jobs(
        self, job_type: str, worker: str, most: int = 1, timeout: timedelta = timedelta(minutes=5)
    ) -> list[commands.ActivatedJob]:
        """Take jobs of a type for a worker, until the timeout is over."""
        return commands.activate_jobs(self._context, job_type, worker, most, timeout)

    def complete_job(self, key: int, variables: Mapping[str, Any] | None = None) -> None:
        """Complete a job."""
        self._run(commands.complete_job, None, key, variables)

    def fail_job(self, key: int, retries: int | None = None, message: str = "", back_off: timedelta | None = None) -> None:
        """Say that a job failed; at zero retries its element holds an incident."""
        self._run(commands.fail_job, None, key, retries, message, back_off)

    def throw_error(self, key: int, code: str, message: str = "", variables: Mapping[str, Any] | None = None) -> None:
        """End a job by a BPMN error."""
        self._run(commands.throw_job_error, None, key, code, message, variables)

    def incidents(self, key: int | None = None) -> tuple[Incident, ...]:
        """Return the incidents of a case, or all."""
        return queries.incidents(self._context, key)

    def resolve_incident(self, key: int, by: str | None = None, variables: Mapping[str, Any] | None = None) -> None:
        """Correct variables and let the element try again."""
        self._run(commands.resolve_incident, by, key, by, variables)

    def alerts(self, instance: int | None = None) -> tuple[Alert, ...]:
        """Return the alerts of a case, or all, in the order in which they were raised."""
        return queries.all_alerts(self._context, instance)

    # --- people

    def users(self) -> tuple[User, ...]:
        """Return all users."""
        return queries.users(self._context)

    def groups(self) -> tuple[Group, ...]:
        """Return all groups."""
        return queries.groups(self._context)

    def add_group(self, group_id: str, name: str | None = None, name_en: str = "") -> None:
        """Add a group, or change its names."""
        commands.add_group(self._context, group_id, name or group_id, name_en)

    def add_user(
        self,
        username: str,
        name: str | None = None,
        *,
        groups: Collection[str] = (),
        attributes: Mapping[str, Sequence[str]] | None = None,
        email: str | None = None,
        password: str | None = None,
    ) -> None:
        """Add a person; without a password they cannot sign in."""
        commands.add_user(self._context, username, name, groups=groups, attributes=attributes, email=email, password=password)

    def set_password(self, username: str, password: str) -> None:
        """Set a password; the person's sessions end."""
        commands.set_password(self._context, username, password)

    def set_groups(self, username: str, groups: Collection[str]) -> None:
        """Set the groups that a person belongs to."""
        commands.set_groups(self._context, username, groups)

    def deactivate(self, username: str) -> None:
        """Lock a person out; what they did stays."""
        commands.set_active(self._context, username, False)

    def substitute(
        self,
        absent: str,
        *,
        by: str,
        starts_at: datetime,
        ends_at: datetime,
        groups: Collection[str] = (),
        processes: Collection[str] = (),
    ) -> int:
        """Let `by` do an absent person's work from one moment until another, within groups and processes (none = all)."""
        return commands.add_substitution(
            self._context, absent, by, starts_at, ends_at, groups=groups or None, processes=processes or None
        )

    # --- proof

    def verify(self, anchor: str | None = None) -> verification.Verdict:
        """Check the journal against its chains and checkpoints; `anchor`: hash of a checkpoint noted elsewhere."""
        with self._context.store.read() as reading:
            return verification.verify(evidence.DatabaseSource(reading), anchor=anchor)

    def export(self, key: int, kind: str = "pack") -> bytes:
        """Return a case's history: `pack` (evidence, zip; with the cases it called), `csv` or `xes` (this case alone).

        Raises:
            InvalidValue: another kind.
        """
        writers = {"csv": exports.as_csv, "xes": exports.xes}
        if kind == "pack":
            jobs.write_checkpoint(self._context)  # so that the pack has no tail that could be cut unseen
        with self._context.store.read() as reading:
            if kind == "pack":
                return evidence.export(reading, [key])
            if kind not in writers:
                raise InvalidValue(f"没有这种导出：{kind}（pack, csv or xes）", field="kind")
            return writers[kind]([exports.read_case(reading, self._context.library, key)]).encode()

    # --- inside

    def _definition(self, key: int, version: int | None, process_id: str | None) -> int:
        """The key of the definition that a case is to be moved to."""
        return self.definition_key(process_id or queries.find_instance(self._context, key).bpmn_process_id, version)

    def _run(self, command: Callable[Concatenate[Context, P], R], who: str | None, *args: P.args, **kwargs: P.kwargs) -> R:
        self._vouch(who)
        result = command(self._context, *args, **kwargs)
        self.drain()
        return result

    def _vouch(self, username: str | None) -> None:
        if username is not None and username not in self._vouched:
            commands.vouch_for(self._context, username)
            self._vouched.add(username)


def migrate(url: str) -> str:
    """Bring a database to this version's tables; return the migration it is at."""
    store = Store(url)
    store.migrate()
    try:
        return migration.current(store.engine)
    finally:
        store.close()
