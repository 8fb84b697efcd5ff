"""Going through tokens: names, symbols, keywords, types, and what is wrong where. The parser stands on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from engine.errors import FeelSyntaxError
from engine.feel.lexer import END, NAME, NUMBER, STRING, SYMBOL, Token, advice, bare, syntax_error, tokenize
from engine.feel.names import NameTable
from engine.feel.types import SIMPLE, ContextType, FeelType, FunctionType, ListType, RangeType, Unknown

MAX_NESTING = 60
STOPS = frozenset({"and", "or", "in", "between", "instance", "then", "else", "return", "satisfies"})
GENERIC = frozenset({"list", "range", "context", "function"})


class Reader:
    """Goes through the tokens of one text.

    Args:
        text: what is read.
        types: named types (item definitions).
        type_names: those of their names that have spaces or symbols.
    """

    def __init__(self, text: str, types: Mapping[str, FeelType] | None, type_names: NameTable | None) -> None:
        self.text = text
        self.tokens: list[Token] = tokenize(text)
        self.index = 0
        self.nesting = 0
        self.types = types or {}
        self.type_names = type_names or NameTable()

    # --- types ------------------------------------------------------------------------------------------------------

    def type(self) -> FeelType:
        """Read a type: `number`, `list<string>`, `context<a: number>`, `function<date> -> boolean`, `range<date>`, a name."""
        self._nest()
        token = self.tokens[self.index]
        if token.kind == NAME and token.text in GENERIC and self.tokens[self.index + 1].text == "<":
            self.index += 2
            kind: FeelType
            if token.text == "context":
                kind = self._context_type()
            elif token.text == "function":
                kind = self._function_type()
            else:
                item = self.type()
                self._symbol(">")
                kind = ListType(item) if token.text == "list" else RangeType(item)
        else:
            kind = self._type_name()
        self.nesting -= 1
        return kind

    def _context_type(self) -> FeelType:
        entries: list[tuple[str, FeelType]] = []
        while True:
            name = self._name_before(frozenset({":"}), "项的名称和 “:”", 'the name of an entry and ":"')
            entries.append((name, self.type()))
            if not self._accept(","):
                break
        self._symbol(">")
        return ContextType(tuple(entries))

    def _function_type(self) -> FeelType:
        parameters: list[FeelType] = []
        if not self._accept(">"):
            while True:
                parameters.append(self.type())
                if not self._accept(","):
                    break
            self._symbol(">")
        self._symbol("->")
        return FunctionType(tuple(parameters), self.type())

    def _type_name(self) -> FeelType:
        if self.tokens[self.index].kind != NAME:
            raise self._error("这里应为类型名", "the name of a type")
        for words in (4, 3):  # days and time duration, date and time
            name = " ".join(token.text for token in self.tokens[self.index : self.index + words])
            if name in SIMPLE:
                self.index += words
                return SIMPLE[name]
        known = self.type_names.match(self.tokens, self.index)
        if known is not None:
            self.index += known[1]
            return self.types[known[0]]
        name = self._joined()
        while self.tokens[self.index].text == ".":
            self.index += 1
            name += "." + self._joined()
        return self.types.get(name) or SIMPLE.get(name) or Unknown(name)

    # --- names ------------------------------------------------------------------------------------------------------

    def _joined(self) -> str:
        """Read words that stand side by side as one name."""
        words = [bare(self.tokens[self.index].text)]
        self.index += 1
        while (token := self.tokens[self.index]).spaced and (
            (token.kind == NAME and token.text not in STOPS and token.text[0] not in "?`")
            or (token.kind == NUMBER and token.text.isdigit())
        ):
            words.append(token.text)
            self.index += 1
        return " ".join(words)

    def _name_before(self, ends: Collection[str], expected: str, english: str) -> str:
        """Read tokens up to (and over) one of `ends` as a name."""
        start = index = self.index
        while self.tokens[index].text not in ends:
            if self.tokens[index].kind in (END, STRING) or self.tokens[index].text in "()[]{},:<>=":
                self.index = index if self.tokens[index].kind != END else start
                raise self._error(f"这里应为{expected}", english)
            index += 1
        if index == start:
            raise self._error(f"这里应为{expected}", english)
        self.index = index + 1
        return self._source(start, index)

    def _source(self, start: int, end: int) -> str:
        """Return the text of some tokens with white space made single."""
        parts = [bare(self.tokens[start].text)]
        for token in self.tokens[start + 1 : end]:
            parts.append((" " if token.spaced else "") + bare(token.text))
        return "".join(parts)

    # --- single tokens ----------------------------------------------------------------------------------------------

    def _accept(self, text: str) -> bool:
        token = self.tokens[self.index]
        if token.text == text and token.kind in (SYMBOL, NAME):
            self.index += 1
            return True
        return False

    def _symbol(self, text: str) -> None:
        if not self._accept(text):
            raise self._error(f"这里应为 “{text}”", f'"{text}"')

    def _keyword(self, word: str, form: str) -> None:
        if not self._accept(word):
            raise self._error(f"这里应为 {word}（{form}）", f'"{word}"')

    def _expect_end(self) -> None:
        if self.tokens[self.index].kind != END:
            raise self._error("这里表达式应已结束，或应为运算符", "an operator or the end")

    def _nest(self) -> None:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self._error(f"嵌套超过 {MAX_NESTING} 层 (nested too deeply)")

    def _error(self, message: str, english: str | None = None) -> FeelSyntaxError:
        token = self.tokens[self.index]
        if english is not None:
            found = f"“{token.text[:40]}”" if token.text else "结尾"
            message += f"，却是 {found} (expected {english}, found {token.text[:40] or 'the end'})"
            message += advice(self.text, token.position, token.text)
        return syntax_error(self.text, token.position, message)
