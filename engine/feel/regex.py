"""XPath's regular expressions on RE2, whose time is linear in the text.

Back references cannot run in linear time; a pattern with one has no result, with a clear message.
Source: DMN 1.5, 10.3.4.3 (matches, replace, split → XQuery 1.0 and XPath 2.0 Functions, 7.6).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol

import re2

from engine.feel.environment import FeelError

MAX_PATTERN = 10_000


class Match(Protocol):
    """A match of a pattern."""

    def group(self, group: int = 0) -> str: ...
    def start(self) -> int: ...
    def end(self) -> int: ...


class Pattern(Protocol):
    """A compiled pattern."""

    groups: int

    def search(self, text: str) -> Match | None: ...
    def finditer(self, text: str) -> Iterator[Match]: ...


@lru_cache(maxsize=512)
def compiled(pattern: str, flags: str) -> Pattern:
    """Return a compiled pattern.

    Raises:
        FeelError: an unknown flag, a malformed pattern, or one that RE2 cannot do.
    """
    if set(flags) - set("smixq"):
        raise FeelError(f"正则标志应为 s、m、i、x、q (unknown flag): {flags}")
    if len(pattern) > MAX_PATTERN:
        raise FeelError("正则表达式太长 (the pattern is too long)")
    translated = re.escape(pattern) if "q" in flags else _translate(pattern, "x" in flags)
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = "i" not in flags
    options.dot_nl = "s" in flags
    options.one_line = True
    options.max_mem = 8 << 20
    if "m" in flags:
        translated = "(?m)" + translated
    try:
        found: Pattern = re2.compile(translated, options)
    except re2.error as error:
        raise FeelError(f"正则表达式无效 (invalid pattern): {_reason(error)}") from None
    return found


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)


_NAME_START = r"_:A-Za-z\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{2FF}\x{370}-\x{37D}\x{37F}-\x{1FFF}\x{200C}-\x{200D}" + (
    r"\x{2070}-\x{218F}\x{2C00}-\x{2FEF}\x{3001}-\x{D7FF}\x{F900}-\x{FDCF}\x{FDF0}-\x{FFFD}"
)
_NAME = _NAME_START + r"\-.0-9\x{B7}\x{300}-\x{36F}\x{203F}-\x{2040}"
_classes = {"i": _NAME_START, "c": _NAME, "d": r"\p{Nd}", "s": r" \t\n\r"}
_negated = {"I": f"[^{_NAME_START}]", "C": f"[^{_NAME}]", "D": r"\P{Nd}", "S": r"[^ \t\n\r]"}
_blocks = {
    "BasicLatin": r"\x00-\x7F",
    "Latin-1Supplement": r"\x80-\x{FF}",
    "LatinExtended-A": r"\x{100}-\x{17F}",
    "LatinExtended-B": r"\x{180}-\x{24F}",
    "Greek": r"\x{370}-\x{3FF}",
    "GreekandCoptic": r"\x{370}-\x{3FF}",
    "Cyrillic": r"\x{400}-\x{4FF}",
    "Hebrew": r"\x{590}-\x{5FF}",
    "Arabic": r"\x{600}-\x{6FF}",
    "GeneralPunctuation": r"\x{2000}-\x{206F}",
    "CJKSymbolsandPunctuation": r"\x{3000}-\x{303F}",
    "Hiragana": r"\x{3040}-\x{309F}",
    "Katakana": r"\x{30A0}-\x{30FF}",
    "CJKUnifiedIdeographs": r"\x{4E00}-\x{9FFF}",
    "HalfwidthandFullwidthForms": r"\x{FF00}-\x{FFEF}",
}


def _translate(pattern: str, free_spacing: bool) -> str:
    """Rewrite XPath's syntax into RE2's."""
    out: list[str] = []
    position, in_class = 0, False
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            piece, position = _escape(pattern, position, in_class)
            out.append(piece)
            continue
        position += 1
        if in_class:
            if character == "-" and pattern.startswith("[", position):
                raise FeelError("不支持正则中的字符集相减 (character class subtraction is not supported)")
            in_class = character != "]"
            out.append("\\[" if character == "[" else character)
        elif free_spacing and character in " \t\n\r":
            continue
        elif character == "[":
            in_class = True
            out.append(character)
            if pattern.startswith("^", position):
                out.append("^")
                position += 1
        elif character == "(" and pattern.startswith("?", position) and not pattern.startswith("?:", position):
            raise FeelError("不支持正则中的 “(?” (only (?: is supported)")
        else:
            out.append(character)
    return "".join(out)


def _escape(pattern: str, position: int, in_class: bool) -> tuple[str, int]:
    """Translate the escape at a position; return the translation and the position after it."""
    if position + 1 >= len(pattern):
        raise FeelError("正则表达式以 “\\” 结尾 (the pattern ends with a backslash)")
    character = pattern[position + 1]
    if character in _classes:
        return (_classes[character] if in_class else f"[{_classes[character]}]"), position + 2
    if character in _negated:
        if in_class and character in "ICS":
            if character == "S":
                return r"\x00-\x08\x0B\x0C\x0E-\x1F!-\x{10FFFF}", position + 2
            raise FeelError(f"不支持字符集中的 \\{character} (not supported inside a class)")
        return _negated[character], position + 2
    if character in "pP":
        match = re.compile(r"\{(Is)?([A-Za-z0-9-]+)\}").match(pattern, position + 2)
        if match is None:
            raise FeelError("\\p 之后应为 {类别} (a category in braces)")
        if not match[1]:
            return f"\\{character}{match.group()}", match.end()
        block = _blocks.get(match[2])
        if block is None or (in_class and character == "P"):
            raise FeelError(f"不支持字符区块 {match[2]} (unknown block)")
        if in_class:
            return block, match.end()
        return f"[{'^' if character == 'P' else ''}{block}]", match.end()
    if character in "wW":
        inside = r"\p{P}\p{Z}\p{C}"
        if in_class:
            return (r"\p{L}\p{M}\p{N}\p{S}" if character == "w" else inside), position + 2
        return (f"[^{inside}]" if character == "w" else f"[{inside}]"), position + 2
    if character.isdigit():
        raise FeelError("不支持正则中的反向引用 (back references cannot run in linear time and are not supported)")
    if character in "nrt":
        return "\\" + character, position + 2
    if character in "\\|.?*+(){}-[]^$":
        return "\\" + character, position + 2
    raise FeelError(f"正则表达式中不认识的 \\{character} (unknown escape)")


_reference = re.compile(r"\\([\\$])|\$([0-9]+)|([\\$])", re.ASCII)


def replace(text: str, pattern: str, replacement: str, flags: str, limit: int) -> str:
    """Return a text with every match replaced; stops as soon as the result exceeds `limit` characters.

    Raises:
        FeelError: an invalid pattern or replacement, or a pattern that matches the empty string.
    """
    expression = compiled(pattern, flags)
    if expression.search("") is not None:
        raise FeelError("正则表达式匹配空字符串，不能替换 (the pattern matches the empty string)")
    pieces: list[tuple[str, int | None]] = [(replacement, None)] if "q" in flags else list(_pieces(replacement, expression.groups))
    out: list[str] = []
    end = size = 0
    for match in expression.finditer(text):
        out.append(text[end : match.start()])
        for literal, group in pieces:
            out.append(literal if group is None else match.group(group) or "")
            size += len(out[-1])
        end = match.end()
        if size > limit + len(text):
            break
    out.append(text[end:])
    return "".join(out)


def _pieces(replacement: str, groups: int) -> Iterator[tuple[str, int | None]]:
    end = 0
    for match in _reference.finditer(replacement):
        yield replacement[end : match.start()], None
        end = match.end()
        escaped, digits, stray = match.groups()
        if stray:
            raise FeelError("替换文本中的 “\\” 和 “$” 要写成 “\\\\” 和 “\\$” (escape them in the replacement)")
        if escaped:
            yield escaped, None
            continue
        used = len(digits)
        while used > 1 and int(digits[:used]) > groups:
            used -= 1
        number = int(digits[:used])
        if number <= groups:
            yield "", number
        yield digits[used:], None
    yield replacement[end:], None


def split(text: str, pattern: str) -> list[str]:
    """Return the parts of a text between the matches of a pattern.

    Raises:
        FeelError: an invalid pattern, or one that matches the empty string.
    """
    expression = compiled(pattern, "")
    if expression.search("") is not None:
        raise FeelError("分隔符匹配空字符串 (the delimiter matches the empty string)")
    parts: list[str] = []
    end = 0
    for match in expression.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
    parts.append(text[end:])
    return parts
