"""Camunda 7's JUEL in its simple forms, translated to FEEL; everything else is refused."""

from __future__ import annotations

import re

_WHOLE = re.compile(r"[$#]\{(?P<body>[^{}]*)\}", re.DOTALL)
_LEXEME = re.compile(
    r"""\s*(?:(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>\d+(?:\.\d+)?)"""
    r"""|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(?P<operator>&&|\|\||==|!=|<=|>=|[-+*/()<>!])|(?P<bad>\S))""",
    re.ASCII,
)
_OPERATORS = {"&&": "and", "||": "or", "==": "=", "!": "not"}
_WORDS = {"and", "or", "not", "eq", "ne", "lt", "gt", "le", "ge", "div"}  # operators that look like names
_NAMES = {
    "and": "and", "or": "or", "not": "not", "eq": "=", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "true": "true",
    "false": "false", "null": "null", "div": "/", "nrOfInstances": "numberOfInstances",
    "nrOfActiveInstances": "numberOfActiveInstances", "nrOfCompletedInstances": "numberOfCompletedInstances",
}  # fmt: skip


def to_feel(text: str) -> str:
    """Translate `${a.b >= 3 && c == 'x'}` to `a.b >= 3 and c = "x"`.

    Raises:
        ValueError: it calls methods, indexes, mixes text and expressions, or is not an expression of this kind.
    """
    match = _WHOLE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"只支持单个 ${{…}} 表达式：{text} / only a single ${{…}} is supported")
    words: list[str] = []
    position, body, after_value = 0, match["body"], False
    while position < len(body.rstrip()):
        lexeme = _LEXEME.match(body, position)
        if lexeme is None or lexeme["bad"]:
            raise ValueError(f"不支持的 JUEL 表达式：{text} / this JUEL expression is not supported")
        if lexeme["operator"] == "(" and words and re.fullmatch(r"[\w.]+", words[-1]) and words[-1] not in {"and", "or", "not"}:
            raise ValueError(f"不支持方法调用：{text} / method calls are not supported")
        is_value = lexeme["operator"] is None and lexeme["name"] not in _WORDS
        if is_value and after_value:  # `empty x`, `x mod y`: FEEL would take it for a name of two words
            raise ValueError(f"不支持的 JUEL 表达式：{text} / this JUEL expression is not supported")
        after_value = is_value
        words += _translated(lexeme, body)
        position = lexeme.end()
    if not words:
        raise ValueError(f"表达式为空：{text} / the expression is empty")
    if "not" in words:
        words = _negations(words, text)
    return " ".join(words)


def _translated(lexeme: re.Match[str], body: str) -> list[str]:
    if lexeme["string"]:
        inner = lexeme["string"][1:-1].replace("\\'", "'").replace('\\"', '"').replace('"', '\\"')
        return [f'"{inner}"']
    if lexeme["name"] == "loopCounter":
        raise ValueError("loopCounter 在 Camunda 7 从 0 数起，这里从 1 数起 / loopCounter starts at 0 in Camunda 7, at 1 here")
    if lexeme["name"]:
        return [_NAMES.get(lexeme["name"], lexeme["name"])]
    operator = lexeme["operator"]
    return [_OPERATORS.get(operator, operator)] if operator else [lexeme["number"]]


def _negations(words: list[str], text: str) -> list[str]:
    """FEEL's `not` needs parentheses: `not a` becomes `not(a)`; `not (…)` stays."""
    result: list[str] = []
    skip = False
    for i, word in enumerate(words):
        if skip:
            skip = False
        elif word != "not":
            result.append(word)
        elif i + 1 >= len(words):
            raise ValueError(f"不完整的表达式：{text} / incomplete expression")
        elif words[i + 1] == "(":
            result.append(word)
        else:
            result += ["not", "(", words[i + 1], ")"]
            skip = True
    return result
