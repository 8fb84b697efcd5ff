"""Forms: every version, for everybody who is signed in, as on the pages."""

from __future__ import annotations

from webui.v2.authentication import Caller
from webui.v2.process_definitions import FormResult
from webui.v2.routing import Router
from webui.v2.schemas import Key
from webui.v2.user_tasks import form_of

router = Router("Form")


@router.get("/forms/{formKey}", scope="read", errors=(404,))
def get_form_by_key(caller: Caller, form_key: Key) -> FormResult:
    """Get a version of a form."""
    return form_of(form_key)
