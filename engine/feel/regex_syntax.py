"""XPath's syntax of regular expressions → RE2's.

Source: XML Schema part 2, appendix F; XQuery 1.0 and XPath 2.0 Functions and Operators, 7.6.1.
"""

from __future__ import annotations

import re

from engine.feel.environment import FeelError
from engine.feel.regex_classes import Spans, category, complement, normal, subtract, write

_SPACE: Spans = [(0x09, 0x0A), (0x0D, 0x0D), (0x20, 0x20)]
_NAME_START: Spans = [
    (0x3A, 0x3A), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x2FF), (0x370, 0x37D),
    (0x37F, 0x1FFF), (0x200C, 0x200D), (0x2070, 0x218F), (0x2C00, 0x2FEF), (0x3001, 0xD7FF), (0xF900, 0xFDCF),
    (0xFDF0, 0xFFFD), (0x10000, 0xEFFFF),
]  # fmt: skip
_NAME: Spans = [*_NAME_START, (0x2D, 0x2E), (0x30, 0x39), (0xB7, 0xB7), (0x300, 0x36F), (0x203F, 0x2040)]
_BLOCKS: dict[str, tuple[int, int]] = {
    "BasicLatin": (0x00, 0x7F),
    "Latin-1Supplement": (0x80, 0xFF),
    "LatinExtended-A": (0x100, 0x17F),
    "LatinExtended-B": (0x180, 0x24F),
    "IPAExtensions": (0x250, 0x2AF),
    "CombiningDiacriticalMarks": (0x300, 0x36F),
    "Greek": (0x370, 0x3FF),
    "GreekandCoptic": (0x370, 0x3FF),
    "Cyrillic": (0x400, 0x4FF),
    "Armenian": (0x530, 0x58F),
    "Hebrew": (0x590, 0x5FF),
    "Arabic": (0x600, 0x6FF),
    "Devanagari": (0x900, 0x97F),
    "Thai": (0xE00, 0xE7F),
    "HangulJamo": (0x1100, 0x11FF),
    "LatinExtendedAdditional": (0x1E00, 0x1EFF),
    "GreekExtended": (0x1F00, 0x1FFF),
    "GeneralPunctuation": (0x2000, 0x206F),
    "CurrencySymbols": (0x20A0, 0x20CF),
    "LetterlikeSymbols": (0x2100, 0x214F),
    "NumberForms": (0x2150, 0x218F),
    "Arrows": (0x2190, 0x21FF),
    "MathematicalOperators": (0x2200, 0x22FF),
    "BoxDrawing": (0x2500, 0x257F),
    "CJKSymbolsandPunctuation": (0x3000, 0x303F),
    "Hiragana": (0x3040, 0x309F),
    "Katakana": (0x30A0, 0x30FF),
    "Bopomofo": (0x3100, 0x312F),
    "CJKUnifiedIdeographsExtensionA": (0x3400, 0x4DBF),
    "CJKUnifiedIdeographs": (0x4E00, 0x9FFF),
    "HangulSyllables": (0xAC00, 0xD7AF),
    "PrivateUse": (0xE000, 0xF8FF),
    "CJKCompatibilityIdeographs": (0xF900, 0xFAFF),
    "HalfwidthandFullwidthForms": (0xFF00, 0xFFEF),
    "CJKUnifiedIdeographsExtensionB": (0x20000, 0x2A6DF),
}
_CATEGORIES = frozenset(
    {
        "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe",
        "Pi", "Pf", "Po", "Z", "Zs", "Zl", "Zp", "S", "Sm", "Sc", "Sk", "So", "C", "Cc", "Cf", "Co", "Cn",
    }
)  # fmt: skip
_CONTROLS = {"n": 0x0A, "r": 0x0D, "t": 0x09}
_PUNCTUATION = "\\|.-^?*+{}()[]$"
_property = re.compile(r"\{(Is)?([A-Za-z0-9-]+)\}", re.ASCII).match


def translate(pattern: str, flags: str) -> str:
    """Return an XPath pattern in RE2's syntax; of the flags, x (free spacing) and s (a dot is any character) count here.

    Raises:
        FeelError: it is malformed, or cannot run in linear time.
    """
    return _Translator(_without_spaces(pattern) if "x" in flags else pattern, "s" in flags).all()


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


class _Translator:
    def __init__(self, pattern: str, dot_all: bool) -> None:
        self.pattern = pattern
        self.dot_all = dot_all
        self.position = 0

    def all(self) -> str:
        out: list[str] = []
        while self.position < len(self.pattern):
            character = self.pattern[self.position]
            if character == "\\":
                out.append(self._outside_escape())
            elif character == "[":
                self.position += 1
                out.append(self._outermost_class())
            elif character == "]":
                raise FeelError("正则表达式中的 “]” 要写成 “\\]” (an unescaped ])")
            else:
                if self.pattern.startswith("(?", self.position) and not self.pattern.startswith("(?:", self.position):
                    raise FeelError("不支持正则中的 “(?” (only (?: is supported)")
                out.append(r"[^\n\r]" if character == "." and not self.dot_all else character)
                self.position += 1
        return "".join(out)

    def _outermost_class(self) -> str:
        """Read a class; RE2 negates a plain one itself, so that ignoring case works on what is negated."""
        start = self.position
        negated = self.pattern.startswith("^", start)
        spans, subtracted = self._class_parts(negated)
        if negated and not subtracted:
            return f"[^{self._written(spans)}]"
        return f"[{self._written(spans)}]"

    @staticmethod
    def _written(spans: Spans) -> str:
        return write(normal(spans))

    def _outside_escape(self) -> str:
        character = self.pattern[self.position + 1 : self.position + 2]
        if character.isdigit():
            raise FeelError("不支持正则中的反向引用：不能在线性时间内完成 (back references are not supported)")
        if character in ("d", "D"):
            self.position += 2
            return r"\p{Nd}" if character == "d" else r"\P{Nd}"
        if character in ("p", "P"):
            match = _property(self.pattern, self.position + 2)
            if match and not match[1] and match[2] in _CATEGORIES - {"Cn", "C"}:
                self.position = match.end()
                return f"\\{character}{{{match[2]}}}"
        return f"[{self._written(self._escape())}]"

    def _class(self) -> Spans:
        """Read a class from after its `[` to after its `]`."""
        negated = self.pattern.startswith("^", self.position)
        spans, subtracted = self._class_parts(negated)
        return complement(spans) if negated and not subtracted else spans

    def _class_parts(self, negated: bool) -> tuple[Spans, bool]:
        """Read a class; return its characters and whether it ended with a subtraction (then negation is worked in)."""
        self.position += negated
        spans: Spans = []
        first = True
        while True:
            character = self._look()
            if character == "]" and not first:
                self.position += 1
                return spans, False
            if character == "-" and self.pattern.startswith("-[", self.position):
                self.position += 2
                spans = subtract(complement(spans) if negated else spans, self._class())
                if self._look() != "]":
                    raise FeelError("字符集相减之后应为 “]” (a ] after the subtraction)")
                self.position += 1
                return spans, True
            spans += self._item(first)
            first = False

    def _item(self, first: bool) -> Spans:
        """Read a character, a range or an escape inside a class."""
        character = self._look()
        if character == "\\":
            low = self._escape()
        elif character in "[]":
            raise FeelError(f"字符集中的 “{character}” 要写成 “\\{character}” (unescaped inside a class)")
        else:
            low = [(ord(character), ord(character))]
            self.position += 1
        following = self.pattern[self.position + 1 : self.position + 2]
        if self._look() != "-" or following in ("]", "[") or len(low) != 1 or low[0][0] != low[0][1]:
            if character == "-" and not first and self._look() != "]":
                raise FeelError("字符集中间的 “-” 要写成 “\\-” (an unescaped - inside a class)")
            return low
        self.position += 1
        if self._look() == "\\":
            high = self._escape()
        else:
            high = [(ord(self._look()), ord(self._look()))]
            self.position += 1
        if len(high) != 1 or high[0][0] != high[0][1] or high[0][0] < low[0][0]:
            raise FeelError("字符集中的区间颠倒或无效 (an invalid range in a class)")
        return [(low[0][0], high[0][0])]

    def _look(self) -> str:
        if self.position >= len(self.pattern):
            raise FeelError("正则表达式的字符集没有结束 (a character class is not closed)")
        return self.pattern[self.position]

    def _escape(self) -> Spans:
        """Read an escape as the characters that it stands for."""
        character = self.pattern[self.position + 1 : self.position + 2]
        self.position += 2
        if character in _CONTROLS:
            return [(_CONTROLS[character], _CONTROLS[character])]
        if character and character in _PUNCTUATION:
            return [(ord(character), ord(character))]
        if character in ("p", "P"):
            spans = self._property()
        elif character.lower() in ("s", "i", "c", "d", "w") and character:
            spans = self._multi(character.lower())
        else:
            raise FeelError(f"正则表达式中不认识的 “\\{character}” (unknown escape)")
        return complement(spans) if character.isupper() else spans

    def _property(self) -> Spans:
        match = _property(self.pattern, self.position)
        if match is None:
            raise FeelError("\\p 之后应为 {类别} (a category in braces)")
        self.position = match.end()
        if match[1]:
            if match[2] not in _BLOCKS:
                raise FeelError(f"没有字符区块 {match[2][:40]} (unknown block)")
            return [_BLOCKS[match[2]]]
        if match[2] not in _CATEGORIES:
            raise FeelError(f"没有字符类别 {match[2][:40]} (unknown category)")
        return list(category(match[2]))

    @staticmethod
    def _multi(letter: str) -> Spans:
        if letter == "s":
            return _SPACE
        if letter == "i":
            return _NAME_START
        if letter == "c":
            return _NAME
        if letter == "d":
            return list(category("Nd"))
        return complement([*category("P"), *category("Z"), *category("C")])
