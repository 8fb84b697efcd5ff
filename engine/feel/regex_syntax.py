"""XPath's regular expressions → a tree.

Source: XML Schema part 2, appendix F; XQuery 1.0 and XPath 2.0 Functions and Operators, 7.6.1 (anchors, reluctant
quantifiers, back references, flags).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.feel.environment import FeelError
from engine.feel.regex_blocks import BLOCKS
from engine.feel.regex_classes import CharacterSet, Spans, complement, with_case_variants

MAX_NESTING = 100
_SPACE: Spans = [(0x09, 0x0A), (0x0D, 0x0D), (0x20, 0x20)]
_NAME_START: Spans = [
    (0x3A, 0x3A), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x2FF), (0x370, 0x37D),
    (0x37F, 0x1FFF), (0x200C, 0x200D), (0x2070, 0x218F), (0x2C00, 0x2FEF), (0x3001, 0xD7FF), (0xF900, 0xFDCF),
    (0xFDF0, 0xFFFD), (0x10000, 0xEFFFF),
]  # fmt: skip
_NAME: Spans = [*_NAME_START, (0x2D, 0x2E), (0x30, 0x39), (0xB7, 0xB7), (0x300, 0x36F), (0x203F, 0x2040)]
_CATEGORIES = frozenset(
    {
        "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe",
        "Pi", "Pf", "Po", "Z", "Zs", "Zl", "Zp", "S", "Sm", "Sc", "Sk", "So", "C", "Cc", "Cf", "Co", "Cn",
    }
)  # fmt: skip
_CONTROLS = {"n": 0x0A, "r": 0x0D, "t": 0x09}
_PUNCTUATION = "\\|.-^?*+{}()[]$"
_property = re.compile(r"\{(Is)?([A-Za-z0-9-]+)\}", re.ASCII).match
_quantity = re.compile(r"\{([0-9]{1,9})(?:(,)([0-9]{1,9})?)?\}", re.ASCII).match
_QUANTIFIERS: dict[str, tuple[int, int | None]] = {"?": (0, 1), "*": (0, None), "+": (1, None)}


@dataclass(frozen=True, slots=True)
class Part:
    """Base of all parts of a pattern."""


@dataclass(frozen=True, slots=True)
class Characters(Part):
    """One character of a set."""

    set: CharacterSet


@dataclass(frozen=True, slots=True)
class Anchor(Part):
    """The start (`^`) or the end (`$`) of the text, or of any line."""

    start: bool
    lines: bool


@dataclass(frozen=True, slots=True)
class BackReference(Part):
    r"""What a group matched: `\1`. Letters match their other case if `ignore_case`."""

    group: int
    ignore_case: bool


@dataclass(frozen=True, slots=True)
class Group(Part):
    """A part in parentheses; `number` from 1, or None if it does not capture."""

    number: int | None
    part: Part


@dataclass(frozen=True, slots=True)
class Repeat(Part):
    """A part `least` to `most` times (None: any number), few rather than many if `lazy`."""

    part: Part
    least: int
    most: int | None
    lazy: bool


@dataclass(frozen=True, slots=True)
class Sequence(Part):
    """Parts one after the other."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Choice(Part):
    """One of several parts, the first that fits."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Syntax:
    """A pattern that was read: its tree, how many groups it captures, and whether it refers back to one."""

    part: Part
    groups: int
    refers_back: bool


def parse(pattern: str, flags: str) -> Syntax:
    """Read a pattern.

    Args:
        pattern: in XPath's syntax.
        flags: s (a dot is any character), m (anchors at lines), i (ignore case), x (free spacing), q (literal text).
    Raises:
        FeelError: it is malformed.
    """
    if "q" in flags:
        return Syntax(Sequence(tuple(Characters(_literal(c, "i" in flags)) for c in pattern)), 0, refers_back=False)
    reader = _Reader(_without_spaces(pattern) if "x" in flags else pattern, flags)
    return Syntax(reader.all(), reader.groups, reader.refers_back)


def _literal(character: str, ignore_case: bool) -> CharacterSet:
    span = (ord(character), ord(character))
    return CharacterSet(tuple(with_case_variants([span])) if ignore_case else (span,))


def _without_spaces(pattern: str) -> str:
    """Remove white space outside character classes (flag x)."""
    out: list[str] = []
    depth = 0
    escaped = False
    for character in pattern:
        if character in " \t\n\r" and not depth:
            continue
        if not escaped:
            depth += (character == "[") - (character == "]")
        escaped = character == "\\" and not escaped
        out.append(character)
    return "".join(out)


class _Reader:
    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern = pattern
        self.dot_all, self.lines, self.ignore_case = "s" in flags, "m" in flags, "i" in flags
        self.position = 0
        self.nesting = 0
        self.groups = 0
        self.closed: set[int] = set()
        self.refers_back = False

    def all(self) -> Part:
        part = self._choice()
        if self.position < len(self.pattern):
            raise FeelError("正则表达式多了 “)” (an unmatched ))")
        return part

    # --- structure --------------------------------------------------------------------------------------------------

    def _choice(self) -> Part:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise FeelError("正则表达式嵌套太深 (the pattern is nested too deeply)")
        parts = [self._sequence()]
        while self._accept("|"):
            parts.append(self._sequence())
        self.nesting -= 1
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _sequence(self) -> Part:
        parts: list[Part] = []
        while self.position < len(self.pattern) and self.pattern[self.position] not in "|)":
            parts.append(self._quantified(self._atom()))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _quantified(self, part: Part) -> Part:
        character = self.pattern[self.position : self.position + 1]
        least: int
        most: int | None
        if character == "{":
            match = _quantity(self.pattern, self.position)
            if match is None:
                raise FeelError("正则表达式中的 “{” 之后应为次数 (a quantity such as {2,3})")
            least = int(match[1])
            most = least if match[2] is None else None if match[3] is None else int(match[3])
            if most is not None and most < least:
                raise FeelError("正则表达式中的次数颠倒 (a quantity in the wrong order)")
            self.position = match.end()
        elif character in _QUANTIFIERS:
            least, most = _QUANTIFIERS[character]
            self.position += 1
        else:
            return part
        return Repeat(part, least, most, lazy=self._accept("?"))

    def _atom(self) -> Part:
        character = self.pattern[self.position]
        if character == "(":
            return self._group()
        if character == "\\":
            following = self.pattern[self.position + 1 : self.position + 2]
            return self._back_reference() if following in set("0123456789") else Characters(self._escape())
        self.position += 1
        if character == "[":
            return Characters(self._class())
        if character in "^$":
            return Anchor(character == "^", self.lines)
        if character == ".":
            return Characters(CharacterSet((() if self.dot_all else ((0x0A, 0x0A), (0x0D, 0x0D))), negated=True))
        if character in "?*+{}]":
            raise FeelError(f"正则表达式中的 “{character}” 要写成 “\\{character}” (an unescaped {character})")
        return Characters(_literal(character, self.ignore_case))

    def _group(self) -> Part:
        self.position += 1
        number: int | None = None
        if self._accept("?"):
            if not self._accept(":"):
                raise FeelError("不支持正则中的 “(?” (only (?: is supported)")
        else:
            self.groups += 1
            number = self.groups
        part = self._choice()
        if not self._accept(")"):
            raise FeelError("正则表达式缺少 “)” (a missing ))")
        if number is not None:
            self.closed.add(number)
        return Group(number, part)

    def _back_reference(self) -> Part:
        r"""Read `\12`: the twelfth group if there are so many before, else the first one and a 2."""
        self.position += 1
        number = int(self.pattern[self.position])
        self.position += 1
        while (more := self.pattern[self.position : self.position + 1]) and more in "0123456789":
            if number * 10 + int(more) > self.groups:
                break
            number = number * 10 + int(more)
            self.position += 1
        if number not in self.closed:
            raise FeelError(f"正则表达式中的 “\\{number}” 之前没有这个组 (no such group before the back reference)")
        self.refers_back = True
        return BackReference(number, self.ignore_case)

    # --- character classes ------------------------------------------------------------------------------------------

    def _class(self) -> CharacterSet:
        """Read a class from after its `[` to after its `]`."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise FeelError("正则表达式嵌套太深 (the pattern is nested too deeply)")
        negated = self._accept("^")
        spans: Spans = []
        categories: list[tuple[str, bool]] = []
        without: CharacterSet | None = None
        first = True
        while first or self._look() != "]":
            if not first and self.pattern.startswith("-[", self.position):
                self.position += 2
                without = self._class()
                if self._look() != "]":
                    raise FeelError("字符集相减之后应为 “]” (a ] after the subtraction)")
                break
            item = self._item(first)
            spans += item.spans
            categories += item.categories
            first = False
        self.position += 1
        self.nesting -= 1
        return CharacterSet(tuple(spans), tuple(categories), negated, without)

    def _item(self, first: bool) -> CharacterSet:
        """Read a character, a range or an escape inside a class."""
        start = self._look()
        low = self._single()
        following = self.pattern[self.position + 1 : self.position + 2]
        if self._look() != "-" or following in ("]", "[") or not isinstance(low, int):
            if start == "-" and not first and self._look() != "]":
                raise FeelError("字符集中间的 “-” 要写成 “\\-” (an unescaped - inside a class)")
            if isinstance(low, CharacterSet):
                return low
            return _literal(chr(low), self.ignore_case)
        self.position += 1
        self._look()
        high = self._single()
        if not isinstance(high, int) or high < low:
            raise FeelError("字符集中的区间颠倒或无效 (an invalid range in a class)")
        spans = with_case_variants([(low, high)]) if self.ignore_case else [(low, high)]
        return CharacterSet(tuple(spans))

    def _single(self) -> int | CharacterSet:
        """Read one character inside a class (as its code point), or an escape of several."""
        character = self.pattern[self.position]
        if character == "\\":
            letter = self.pattern[self.position + 1 : self.position + 2]
            if letter in _CONTROLS or (letter and letter in _PUNCTUATION):
                self.position += 2
                return _CONTROLS.get(letter) or ord(letter)
            return self._escape()
        if character in "[]":
            raise FeelError(f"字符集中的 “{character}” 要写成 “\\{character}” (unescaped inside a class)")
        self.position += 1
        return ord(character)

    def _escape(self) -> CharacterSet:
        """Read an escape as the characters that it stands for."""
        letter = self.pattern[self.position + 1 : self.position + 2]
        self.position += 2
        if letter in _CONTROLS:
            return CharacterSet(((_CONTROLS[letter], _CONTROLS[letter]),))
        if letter and letter in _PUNCTUATION:
            return CharacterSet(((ord(letter), ord(letter)),))
        if letter in ("p", "P"):
            return self._property(letter == "P")
        if letter in ("d", "D"):
            return CharacterSet(categories=(("Nd", letter == "D"),))
        if letter in ("w", "W"):
            return CharacterSet(categories=tuple((name, False) for name in ("LMNS" if letter == "w" else "PZC")))
        spans = {"s": _SPACE, "i": _NAME_START, "c": _NAME}.get(letter.lower())
        if spans is None:
            raise FeelError(f"正则表达式中不认识的 “\\{letter}” (unknown escape)")
        return CharacterSet(tuple(complement(spans) if letter.isupper() else spans))

    def _property(self, negated: bool) -> CharacterSet:
        match = _property(self.pattern, self.position)
        if match is None:
            raise FeelError("\\p 之后应为 {类别} (a category in braces)")
        self.position = match.end()
        if match[1]:
            if match[2] not in BLOCKS:
                raise FeelError(f"没有字符区块 {match[2][:40]} (unknown block)")
            block = [BLOCKS[match[2]]]
            return CharacterSet(tuple(complement(block) if negated else block))
        if match[2] not in _CATEGORIES:
            raise FeelError(f"没有字符类别 {match[2][:40]} (unknown category)")
        return CharacterSet(categories=((match[2], negated),))

    # --- small things -----------------------------------------------------------------------------------------------

    def _accept(self, character: str) -> bool:
        if self.pattern.startswith(character, self.position):
            self.position += 1
            return True
        return False

    def _look(self) -> str:
        if self.position >= len(self.pattern):
            raise FeelError("正则表达式的字符集没有结束 (a character class is not closed)")
        return self.pattern[self.position]
