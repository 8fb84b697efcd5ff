"""Text → tokens. Names of several words are put together by the parser, which knows what is in scope."""

from __future__ import annotations

import re
from typing import NamedTuple

from engine.errors import FeelSyntaxError

NAME, NUMBER, STRING, SYMBOL, END = "name", "number", "string", "symbol", "end"

# DMN 1.5, 10.3.1.2, rules 27–29 (name start and part characters)
_START = (
    "?A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_PART = _START.replace("?", "") + "0-9\u00b7\u0300-\u036f\u203f-\u2040"
_SPACE = r"[ \t\n\r\x0b\x0c\u0085\u00a0\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]+"

_token = re.compile(
    rf"(?P<space>(?:{_SPACE}|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<name>[{_START}][{_PART}]*)"
    r"|(?P<quoted>`[^`\n]+`)"
    r'|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<symbol>\.\.\.|\.\.|\*\*|<=|>=|!=|->|[-+*/=<>(){}\[\],:.@'])",
    re.DOTALL,
).match


class Token(NamedTuple):
    """A piece of text: its kind, the text itself, where it starts, and whether white space precedes it."""

    kind: str
    text: str
    position: int
    spaced: bool


def tokenize(text: str, limit: int = 100_000) -> list[Token]:
    """Return the tokens of a text, the last one being the end.

    Raises:
        FeelSyntaxError: an unknown character, an unclosed string or comment, or a text longer than `limit`.
    """
    if len(text) > limit:
        raise FeelSyntaxError(f"表达式超过 {limit} 个字符 (the expression is too long)", text=text[:200])
    tokens: list[Token] = []
    position, spaced = 0, False
    while position < len(text):
        match = _token(text, position)
        if match is None or (text.startswith("/*", position) and match.lastgroup == "symbol"):
            raise syntax_error(text, position, _unreadable(text, position))
        kind = match.lastgroup or ""
        if kind == "space":
            spaced = True
        else:
            tokens.append(Token(NAME if kind == "quoted" else kind, match.group(), position, spaced))
            spaced = False
        position = match.end()
    tokens.append(Token(END, "", position, spaced))
    return tokens


def _unreadable(text: str, position: int) -> str:
    if text[position] == '"':
        return '字符串没有结束的引号 (the string has no closing ")'
    if text.startswith("/*", position):
        return "注释没有结束 (the comment is not closed)"
    return f"不认识的字符 “{text[position]}” (unexpected character){advice(text, position)}"


# What people write by habit → what FEEL has. Full-width marks may stand in names, and often do: `金额（元）`.
_SIGNS = {
    "“": '"', "”": '"', "‘": '"', "’": '"', "'": '"', "，": ",", "、": ",", "；": ",", ";": ",", "（": "(", "）": ")", "：": ":",
    "【": "[", "】": "]", "＝": "=", "＞": ">", "＜": "<", "≥": ">=", "≤": "<=", "≠": "!=", "！": "not(…)", "!": "not(…)",
    "×": "*", "÷": "/", "%": "/ 100", "&": "and", "|": "or",
}  # fmt: skip
_PAIRS = {"==": "=", "<>": "!=", "&&": "and", "||": "or"}
_WORDS = {"并且": "and", "且": "and", "或者": "or", "或": "or"}


def advice(text: str, position: int, word: str = "") -> str:
    """Return what to write instead of what stands at a position (where `word` is a whole token); "" if nothing comes to mind."""
    meant = _PAIRS.get(text[max(position - 1, 0) : position + 1]) or _WORDS.get(word) or _SIGNS.get(text[position : position + 1])
    return "" if meant is None else f"，请写 {meant} (write {meant})"


def doubtful_marks(name: str) -> str:
    """Return the full-width marks of a name that are mostly meant as signs: `a＝5` is one name."""
    return "".join(dict.fromkeys(mark for mark in name if mark in "（），：；！＝＞＜"))


def syntax_error(text: str, position: int, message: str) -> FeelSyntaxError:
    """Return a syntax error that names line and column (both from 1) of a position."""
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    return FeelSyntaxError(f"第 {line} 行第 {column} 列：{message}", text=text, line=line, column=column)


def bare(name: str) -> str:
    """Return the name that a token is: Camunda writes one with spaces or symbols between back quotes."""
    return name[1:-1] if name[:1] == "`" else name


_escapes = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "'": "'"}
_escape = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})|(.))", re.DOTALL)


def unquote(literal: str) -> str:
    """Return the text of a string literal, with its escapes resolved; unknown escapes stay as they are."""
    body = literal[1:-1]
    if "\\" not in body:
        return whole(body)

    def resolve(match: re.Match[str]) -> str:
        short, long, character = match.groups()
        if character is not None:
            return _escapes.get(character, "\\" + character)
        code = int(short or long, 16)
        return chr(code) if code <= 0x10FFFF else match.group()

    return whole(_escape.sub(resolve, body))


_half = re.compile("[\ud800-\udfff]").search


def whole(text: str) -> str:
    r"""Return a text with halves of characters put together (`\uD83D\uDC0E`); a lone one, which no file holds, is replaced."""
    if text.isascii() or _half(text) is None:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
