"""The engine's errors as pages: one table from error to status, one page that says what is wrong and what to do.

Scripts of our own pages (fetch, htmx) get the same as problem details (RFC 9457).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from flask import Flask, Response, current_app, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from engine import errors
from webui import sessions
from webui.i18n import is_english, text

# From the most special class to the most general: the first that fits counts.
STATUS: Mapping[type[errors.LiuzhuanError], int] = {
    errors.SignInThrottled: 429,
    errors.SignatureRequired: 422,
    errors.SignatureWrong: 422,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Refused: 422,
    errors.EvaluationFailed: 422,
    errors.CalendarMissing: 422,
    errors.Defect: 500,
}

TITLES: Mapping[int, object] = {
    400: _l("请求不完整"),
    401: _l("请先登录"),
    403: _l("没有权限"),
    404: _l("没有找到"),
    405: _l("没有找到"),
    409: _l("情况已经变化"),
    413: _l("文件太大"),
    415: _l("请求不完整"),
    422: _l("没有被接受"),
    429: _l("尝试过于频繁"),
    500: _l("系统出错了"),
    503: _l("系统暂时不可用"),
}

ADVICE: Mapping[int, object] = {
    400: _l("请返回上一页，刷新后再试一次。"),
    403: _l("如果您认为应当有此权限，请联系系统管理员。"),
    404: _l("链接可能已失效，或您无权查看这项内容。请从收件箱重新进入。"),
    405: _l("链接可能已失效，或您无权查看这项内容。请从收件箱重新进入。"),
    409: _l("别人可能已先一步处理。您的操作没有生效，请刷新后查看最新情况。"),
    413: _l("请压缩或拆分文件后再上传。"),
    415: _l("请返回上一页，刷新后再试一次。"),
    422: _l("请按提示更正后再提交。"),
    429: _l("请稍等几分钟再试。"),
    500: _l("您的操作没有生效，也没有留下半截数据。请稍后再试；如仍出错，请把时间告诉系统管理员。"),
    503: _l("请稍后再试，您的数据没有丢失。"),
}

# What errors say by themselves is for programs; this is for people, where the engine's message says no more than the class.
_SENTENCES: Mapping[type[errors.LiuzhuanError], object] = {
    errors.TaskAlreadyClaimed: _l("任务已被别人认领。"),
    errors.TaskNotOpen: _l("任务已经完成或取消，不能再办理。"),
    errors.InstanceChanged: _l("事项刚刚被别人更改，请重新查看后再操作。"),
    errors.InstanceSuspended: _l("事项已暂停，任务锁定，恢复后才能办理。"),
    errors.StaleForm: _l("表单已更新为新版本，您填写的内容已保留，请核对后再提交。"),
    errors.Excluded: _l("您与本事项有利害关系，不能办理这项任务。"),
    errors.SignatureRequired: _l("这项决定需要签名：请再次输入密码。"),
    errors.SignatureWrong: _l("密码不正确，决定没有签署。"),
    errors.SignInThrottled: _l("登录失败次数过多，请稍后再试。"),
    errors.NotAllowed: _l("您没有权限进行这项操作。"),
    errors.NotFound: _l("没有这项内容，或您无权查看。"),
    errors.Conflict: _l("别人先一步处理了，请刷新后再看。"),
    errors.Defect: _l("系统内部出错，操作已全部撤销。"),
}


_BILINGUAL = re.compile(r"(.*?)[（(]([\x20-\x7e]+)[）)]", re.DOTALL)


def init(app: Flask) -> None:
    """Let the application answer errors with pages."""
    app.register_error_handler(errors.LiuzhuanError, _engine_error)
    app.register_error_handler(sessions.SessionExpired, _session_expired)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _defect)


def status_of(error: errors.LiuzhuanError) -> int:
    """Return the HTTP status of an engine's error."""
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)


def sentence(error: errors.LiuzhuanError) -> str:
    """Return what is wrong, in the person's language: the engine's own message where it says more than its class."""
    own = _own_message(error)
    general = next((str(said) for kind, said in _SENTENCES.items() if isinstance(error, kind)), "")
    if is_english():
        return f"{general} {own}".strip() or error.message
    return own or general or error.message


def _own_message(error: errors.LiuzhuanError) -> str:
    """The engine writes `中文（English）`: return the part in the person's language, an empty text for a class's default."""
    if error.message == (type(error).__doc__ or "").split("\n")[0]:
        return ""
    found = _BILINGUAL.fullmatch(error.message)
    if found is None:
        return one_language(error.message) if isinstance(error, errors.MigrationRefused | errors.InvalidValue) else error.message
    chinese, english = found.groups()
    return f"{english[:1].upper()}{english[1:]}." if is_english() else f"{chinese}。"


def one_language(message: str) -> str:
    """Return an engine's message `中文（English）` or `中文 / English; …` in the person's language."""
    found = _BILINGUAL.fullmatch(message)
    if found is not None:
        return found.group(2 if is_english() else 1)
    told = []
    for part in message.split("；"):
        chinese, mark, english = part.partition(" / ")
        where, colon, _ = chinese.partition("：")
        told.append(f"{where if colon else ''}: {english}".removeprefix(": ") if is_english() and mark else chinese)
    return "; ".join(told) if is_english() else "；".join(told)


def wants_json() -> bool:
    """Whether a script asked, not a person following a link."""
    accept = request.accept_mimetypes
    return (
        accept.best_match(["text/html", "application/json"]) == "application/json" or request.headers.get("HX-Request") == "true"
    )


def answer(status: int, detail: str, *, code: str = "", rule: str | None = None) -> Response:
    """Return an error's page, or its problem details for a script."""
    title = str(TITLES.get(status, TITLES[500]))
    if wants_json():
        response = jsonify(type="about:blank", title=title, status=status, detail=detail, code=code, rule=rule)
        response.content_type = "application/problem+json"
    else:
        page = render_template("error.html", status=status, title=title, detail=detail, advice=ADVICE.get(status, ""), rule=rule)
        response = make_response(page)
    response.status_code = status
    response.headers["X-Message"] = quote(detail)
    return response


def _engine_error(error: errors.LiuzhuanError) -> Response:
    status = status_of(error)
    if status >= 500:
        current_app.logger.exception("a defect of the engine", exc_info=error)
    return answer(status, sentence(error), code=error.code, rule=error.rule)


def _session_expired(error: sessions.SessionExpired) -> Response:
    """Ask to sign in, keeping where the person wanted to go and, after a submission, what was typed."""
    if wants_json():
        return answer(401, text("会话已过期，请重新登录。"), code="session-expired")
    if request.method == "GET":
        back = request.full_path.rstrip("?")
        return make_response(redirect(url_for("auth.sign_in", next=None if back == "/" else back), 303))
    from webui.views.auth import sign_in_keeping

    return sign_in_keeping(error.username)


def _csrf_error(error: CSRFError) -> Response:
    if sessions.read(refresh=False) is None and request.blueprint != "auth":
        return _session_expired(sessions.SessionExpired(sessions.last_username()))
    detail = text("页面已过期：请刷新后再试。您的操作没有生效。")
    return answer(400, detail, code="csrf")


def _http_error(error: HTTPException) -> Response:
    if request.path.startswith("/v2/"):
        from webui.v2.problems import http_error

        return http_error(error)
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    return answer(
        status, str(ADVICE.get(status, ADVICE[500])) if status != 413 else text("上传的内容超过了允许的大小。"), code=str(status)
    )


def _defect(error: Exception) -> Response:
    current_app.logger.exception("a defect", exc_info=error)
    return answer(500, text("系统内部出错，操作已全部撤销。"), code="defect")
