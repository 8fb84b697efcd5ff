"""Chinese first: the texts in code and templates are Chinese; English comes from `translations/en`, read at the start.

The catalogue is read from its `.po` file, so there is nothing to compile and nothing that could be stale.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, request
from flask_babel import Babel
from flask_babel import gettext as _gettext
from flask_babel import ngettext as _ngettext

CATALOGUE = Path(__file__).parent / "translations" / "en" / "LC_MESSAGES" / "messages.po"
COOKIE = "language"
LANGUAGES = {"zh": "中文", "en": "English"}


def init(app: Flask, time_zone: str) -> None:
    """Make texts follow the person's language: the switch's cookie, else Chinese."""
    babel = Babel(app, default_locale="zh", default_timezone=time_zone, locale_selector=language)
    with app.app_context():
        kept = babel.domain_instance.cache
    kept["zh", "messages"] = NullTranslations()
    kept["en", "messages"] = english()


@cache
def english() -> Translations:
    """Return the English catalogue."""
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="en")
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def language() -> str:
    """Return `zh` or `en` for this request."""
    chosen = request.args.get("lang") or request.cookies.get(COOKIE)
    return chosen if chosen in LANGUAGES else "zh"


def is_english() -> bool:
    """Whether this request's person reads English."""
    return language() == "en"


def text(message: str, /, **values: object) -> str:
    """Return a text in the person's language, `%(name)s` filled in."""
    return str(_gettext(message, **values))


def plural(one: str, many: str, number: int, /, **values: object) -> str:
    """Return a text that depends on a number (`%(num)s`)."""
    return str(_ngettext(one, many, number, **values))
