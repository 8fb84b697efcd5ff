"""Attachments: uploaded before the form that names them, downloaded by those who may see the case."""

from __future__ import annotations

import mimetypes
import re
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, make_response, request

from engine import commands, errors, queries
from webui import access, sessions
from webui.i18n import text

bp = Blueprint("files", __name__, url_prefix="/files")

_DIGEST = re.compile(r"[0-9a-f]{64}")


@bp.post("")
def upload() -> Response:
    """Stage a file; the answer is what a file field holds."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise errors.InvalidValue(text("没有选择文件。"))
    name = file.filename.replace("\\", "/").rpartition("/")[2][:200]
    # What the browser says about the content is not believed: the name decides, and downloads are never shown inline.
    content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return jsonify(access.run(commands.stage_attachment, name, content_type, file.read(), by=sessions.username()))


@bp.get("/<digest>")
def download(digest: str) -> Response:
    """A file, always as a download."""
    if not _DIGEST.fullmatch(digest):
        raise errors.NotFound("没有此附件（no such attachment）")
    found = access.ask(queries.attachment_content, digest, sessions.username())
    response = make_response(found.content)
    response.headers["Content-Type"] = found.content_type
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(found.name)}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
