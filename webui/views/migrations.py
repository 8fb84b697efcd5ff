"""Moving running cases to another version: choose it, see what goes where, adjust the mapping, say why, run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from engine import commands, errors, queries
from engine.queries.records import ProcessVersionView
from engine.store.cases import CaseFilter
from webui import access, casework, naming, problems, sessions
from webui.i18n import text

bp = Blueprint("migrations", __name__, url_prefix="/definitions/process/<int:key>/migrate")

_MAP = "map."
ANEW = "-"
"""What a select box says where an event is not kept but opened anew."""


@bp.get("")
@sessions.only("admin")
def show(key: int) -> str:
    """The preview, adjusted by the select boxes."""
    return _page(key, request.args)


@bp.post("")
@sessions.only("admin")
def run(key: int) -> Response:
    """Migrate what the preview showed, one case after the other."""
    typed = request.form
    target = typed.get("target", 0, type=int)
    change = commands.Change("migrate", target, _mapping(typed))
    case = typed.get("case", 0, type=int)
    reason = typed.get("reason", "")
    try:
        batch = commands.start_batch(
            access.context(),
            change,
            sessions.username(),
            reason,
            keys=[case] if case else (),
            cases=None if case else _filter(key, typed),
        )
    except errors.Refused as error:
        response = make_response(_page(key, typed, problem=problems.sentence(error)))
        response.status_code = 422
        return response
    return make_response(redirect(url_for("batches.show", key=batch), 303))


def _page(key: int, chosen: Mapping[str, str], problem: str | None = None) -> str:
    versions = access.ask(queries.definitions)
    source = next((item for item in versions if item.key == key), None)
    if source is None:
        raise errors.NotFound(f"没有定义 {key}（no such definition）")
    target = _target(versions, source, chosen.get("target", ""))
    case = int(chosen.get("case") or 0)
    found = None
    mapping = _mapping(chosen)
    if target is not None:
        cases = None if case else _filter(key, chosen)
        keys = [case] if case else []
        try:
            found = access.ask(queries.preview_migrations, key, target.key, mapping, keys=keys, cases=cases)
        except errors.InvalidValue as error:  # the select boxes of another target
            mapping, problem = {}, problem or problems.sentence(error)
            found = access.ask(queries.preview_migrations, key, target.key, mapping, keys=keys, cases=cases)
    return render_template(
        "definitions/migrate.html",
        source=_named(source),
        targets=[(str(item.key), _title(item, source)) for item in _targets(versions, source)],
        target=_named(target) if target is not None else None,
        search=chosen.get("q", ""),
        case=casework.summary_of_case(access.ask(queries.find_instance, case)) if case else None,
        rows=[_row(row, mapping) for row in found.elements] if found is not None else [],
        found=found,
        refused=[(casework.summary_of_case(instance), obstacles) for instance, obstacles in found.refused] if found else [],
        fields=[(_MAP + name, value if value is not None else ANEW) for name, value in mapping.items()],
        reason=chosen.get("reason", ""),
        problem=problem,
        message=_message,
    )


def _target(versions: tuple[ProcessVersionView, ...], source: ProcessVersionView, chosen: str) -> ProcessVersionView | None:
    others = _targets(versions, source)
    wanted = next((item for item in others if str(item.key) == chosen), None)
    return wanted or next((item for item in others if item.bpmn_process_id == source.bpmn_process_id), None)


def _targets(versions: tuple[ProcessVersionView, ...], source: ProcessVersionView) -> list[ProcessVersionView]:
    """The other versions of the process, the newest first, then the newest of all other processes."""
    own = [item for item in versions if item.bpmn_process_id == source.bpmn_process_id and item.key != source.key]
    return own + [item for item in versions if item.bpmn_process_id != source.bpmn_process_id and item.newest]


def _title(item: ProcessVersionView, source: ProcessVersionView) -> str:
    version = text("第 %(version)s 版", version=item.version)
    if item.bpmn_process_id == source.bpmn_process_id:
        return f"{version} {item.version_tag or ''}".strip()
    return f"{naming.process(item.key, item.name)} {version}"


def _named(item: ProcessVersionView) -> dict[str, Any]:
    return {"key": item.key, "id": item.bpmn_process_id, "name": naming.process(item.key, item.name), "version": item.version}


def _filter(key: int, chosen: Mapping[str, str]) -> CaseFilter:
    return CaseFilter(search=chosen.get("q", "")[:200], definition_key=key, called=True)


def _mapping(chosen: Mapping[str, str]) -> dict[str, str | None]:
    """The instructions of the select boxes: an empty one is none."""
    given = {name.removeprefix(_MAP): value for name, value in chosen.items() if name.startswith(_MAP) and value}
    return {name: None if value == ANEW else value for name, value in given.items()}


def _row(row: queries.ElementPreview, mapping: Mapping[str, str | None]) -> dict[str, Any]:
    words = {
        "task": text("待办任务"),
        "timer": text("计时"),
        "message": text("等待消息"),
        "signal": text("等待信号"),
        "job": text("自动步骤"),
        "call": text("调用流程"),
        "join": text("等待汇合"),
        "conditional": text("等待条件"),
    }
    chosen = mapping.get(row.element_id, row.element_id) if row.element_id in mapping else row.element_id
    choices = [(choice, name or choice) for choice, name in row.choices]
    if row.element_id not in dict(choices):
        choices.insert(0, ("", text("（请选择）")))
    if row.listens:
        choices.append((ANEW, text("不保留，重新订阅")))
    return {
        "id": row.element_id,
        "name": row.name or row.element_id,
        "waits": words.get(row.waits, ""),
        "type": row.type,
        "cases": row.cases,
        "closed": row.closed,
        "refused": row.refused,
        "why": [_message(why) for why in row.why],
        "field": _MAP + row.element_id,
        "choices": choices,
        "chosen": ANEW if chosen is None else chosen if chosen in dict(choices) else "",
    }


def _message(both: str) -> str:
    """The part of an obstacle's `中文 / English` in the person's language."""
    return problems.one_language(both)
