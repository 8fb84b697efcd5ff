"""Checks what no other tool checks: templates, inline scripts, and that every text has its English.

python -m webui.lint            print what is wrong; exit code 1 where anything is
python -m webui.lint --missing  print the texts that lack English, as entries for messages.po
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemLoader, TemplateError

from webui.i18n import CATALOGUE

WEBUI = Path(__file__).parent
TEMPLATES = WEBUI / "templates"

_METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
_OPTIONS = {"templates/**.html": {"trimmed": "true", "silent": "false"}}
_KEYWORDS = {"_": None, "gettext": None, "text": None, "ngettext": (1, 2), "plural": (1, 2), "_l": None, "lazy_gettext": None}
_INLINE = (
    (re.compile(r"<script\b(?![^>]*\bsrc=)", re.IGNORECASE), "an inline script"),
    (re.compile(r"\son[a-z]+\s*=\s*[\"']", re.IGNORECASE), "an inline event handler"),
    (re.compile(r"\bhx-on[:-]", re.IGNORECASE), "an inline event handler of htmx"),
    (re.compile(r"javascript:", re.IGNORECASE), "a javascript: address"),
    (re.compile(r"\b(?:src|href)=[\"'](?:https?:)?//", re.IGNORECASE), "an address outside"),
    (re.compile(r"\|\s*safe\b"), "a value that is not escaped"),
)
_CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_TRANSLATED = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_PLACEHOLDERS = re.compile(r"%\((\w+)\)")


def main(arguments: list[str]) -> int:
    """Lint; return an exit code."""
    if arguments == ["--missing"]:
        for message in sorted(_messages() - _translated().keys()):
            print(f'msgid "{_quoted(message)}"\nmsgstr ""\n')
        return 0
    problems = [*_templates(), *_texts()]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def _templates() -> Iterator[str]:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), extensions=["jinja2.ext.i18n"], autoescape=True)
    for path in sorted(TEMPLATES.rglob("*.html")):
        source = path.read_text(encoding="utf-8")
        name = path.relative_to(WEBUI)
        try:
            environment.parse(source)
        except TemplateError as error:
            yield f"{name}: {error}"
        for pattern, what in _INLINE:
            for found in pattern.finditer(source):
                yield f"{name}:{_line(source, found.start())}: {what}"
        bare = _TRANSLATED.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), source)
        for found in _CHINESE.finditer(bare):
            yield f"{name}:{_line(source, found.start())}: a text outside of _()"
            break


def _texts() -> Iterator[str]:
    translated, messages = _translated(), _messages()
    for message in sorted(messages - translated.keys()):
        yield f"no English: {message}"
    for message in sorted(translated.keys() - messages):
        yield f"English of a text that is nowhere: {message}"
    for message in sorted(messages & translated.keys()):
        if set(_PLACEHOLDERS.findall(message)) != set(_PLACEHOLDERS.findall(translated[message])):
            yield f"other placeholders in English: {message}"


def _messages() -> set[str]:
    found = set()
    rows = extract_from_dir(str(WEBUI), method_map=_METHODS, options_map=_OPTIONS, keywords=_KEYWORDS, directory_filter=_own)
    for _, _, message, _, _ in rows:
        found.add(message[0] if isinstance(message, tuple) else message)
    return {message for message in found if message and _CHINESE.search(message)}


def _own(path: str) -> bool:
    return Path(path).name not in {"static", "assets", "translations", "cli", "__pycache__"}


def _translated() -> dict[str, str]:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="en")
    return {str(message.id): str(message.string) for message in catalogue if message.id and message.string}


def _line(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1


def _quoted(message: str) -> str:
    return message.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
