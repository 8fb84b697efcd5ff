"""Tokens → syntax tree, by recursive descent with precedence climbing.

A name of several words is found in this order: the longest name known in scope; the longest built-in function;
else words that stand side by side are one name, because FEEL has no other meaning for that.
Source: DMN 1.5, 10.3.1.2 (grammar rules 1–66).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation, Overflow
from typing import ClassVar

from engine.feel import nodes as n
from engine.feel import numbers
from engine.feel.lexer import END, NAME, NUMBER, STRING, SYMBOL, Token, bare, syntax_error, unquote
from engine.feel.names import NameTable, needs_scope
from engine.feel.reading import STOPS, Reader
from engine.feel.shapes import Shapes
from engine.feel.temporal_text import parse_any
from engine.feel.types import FeelType

COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
CONSTANTS = {"true": True, "false": False, "null": None}
FORMER_FUNCTIONS = frozenset({"and", "or"})  # what DMN 1.2 called all(…) and any(…)
STARTS = frozenset({"if", "for", "some", "every", "function"})
NAME_SYMBOLS = frozenset("./-'+*") | {"**"}  # rule 30: symbols that may stand inside names
AFTER_NAME = (",", ")", "]", "}", "[", "(", "=", "<", ">", "!")  # none of these
OR, AND, COMPARE, ADD, MULTIPLY, POWER = range(1, 7)
PRECEDENCE = {"or": OR, "and": AND, "between": COMPARE, "in": COMPARE, "+": ADD, "-": ADD, "*": MULTIPLY, "/": MULTIPLY}
PRECEDENCE |= {"**": POWER, **dict.fromkeys(COMPARISONS, COMPARE)}
AFTER_OPEN_END = COMPARISONS | {"", ")", "]", "}", ",", "."}
AFTER_OPEN_END |= {"and", "or", "then", "else", "return", "satisfies", "in", "between", "instance"}


class Parser(Reader):
    """Reads one text.

    Args:
        text: the expression or unary tests.
        names: names with spaces or symbols that are in scope (a table of them is borrowed, and left as it was).
        built_in: names of built-in functions of several words.
        types: named types (item definitions) for `instance of` and parameters.
        type_names: those of their names that have spaces or symbols.
    """

    def __init__(
        self,
        text: str,
        names: Iterable[str] | NameTable = (),
        built_in: NameTable | None = None,
        types: Mapping[str, FeelType] | None = None,
        type_names: NameTable | None = None,
    ) -> None:
        super().__init__(text, types, type_names)
        self.names = names if isinstance(names, NameTable) else NameTable(names)
        self.built_in = built_in or NameTable()
        self.shapes = Shapes()

    # --- entry points -----------------------------------------------------------------------------------------------

    def expression_only(self) -> n.Node:
        """Read the whole text as one expression."""
        node = self.expression()
        self._expect_end()
        return node

    def sequence_only(self) -> n.Node:
        """Read the whole text as what an iteration goes through: an expression, or `first..last`."""
        node = self.expression()
        if self._accept(".."):
            every = n.Iterator("item", node, self.expression())
            node = n.For((every,), n.Name("item", 0))
        self._expect_end()
        return node

    def range_only(self) -> tuple[n.Node | None, n.Node | None, bool, bool]:
        """Read the whole text as a range: its ends (None: left out, as an open one may be), and whether they are closed.

        Source: DMN 1.5, 10.3.1.2, rules 66–68.
        """
        if self.tokens[0].text not in ("[", "(", "]"):
            raise self._error("这里应为 “[” 或 “(”", '"[" or "("')
        low_closed = self.tokens[0].text == "["
        self.index = 1
        low: n.Node | None = None
        high: n.Node | None = None
        high_closed = False
        if low_closed or self.tokens[1].text != "..":
            low = self._operand(ADD)
        self._symbol("..")
        if low is not None and self.tokens[self.index].text in (")", "["):
            self.index += 1
        else:
            high, high_closed = self._interval_end()
        self._expect_end()
        return low, high, low_closed, high_closed

    def unary_tests_only(self) -> n.Tests:
        """Read the whole text as unary tests: `-`, `not(…)`, or tests separated by commas."""
        token = self.tokens[0]
        if token.text == "-" and self.tokens[1].kind == END:
            return n.Tests((), negated=False, any_value=True)
        if token.text == "not" and self.tokens[1].text == "(" and self._closes_at_end(1):
            self.index = 2
            tests = self._tests()
            self._symbol(")")
            self._expect_end()
            return n.Tests(tests, negated=True, any_value=False)
        tests = self._tests()
        self._expect_end()
        return n.Tests(tests, negated=False, any_value=False)

    def _closes_at_end(self, index: int) -> bool:
        depth = 0
        for position in range(index, len(self.tokens)):
            text = self.tokens[position].text if self.tokens[position].kind == SYMBOL else ""
            depth += (text == "(") - (text == ")")
            if depth == 0:
                return position == len(self.tokens) - 2
        return False

    def _tests(self) -> tuple[n.Node, ...]:
        tests = [self.expression()]
        while self._accept(","):
            tests.append(self.expression())
        return tuple(tests)

    # --- expressions ------------------------------------------------------------------------------------------------

    def expression(self) -> n.Node:
        """Read one expression of any kind."""
        self._nest()
        node = self._binary(OR)
        self.nesting -= 1
        return node

    def _binary(self, lowest: int, first: n.Node | None = None) -> n.Node:
        left = self._unary() if first is None else first
        while True:
            token = self.tokens[self.index]
            operator = token.text
            precedence = PRECEDENCE.get(operator, 0) if token.kind in (SYMBOL, NAME) else 0
            if not precedence or precedence < lowest:
                return left
            self.index += 1
            if precedence == COMPARE:
                left = self._comparison(left, operator)
            elif precedence <= AND:
                left = self._logic(left, operator, precedence)
            else:
                left = self._arithmetic(left, operator, precedence)

    def _logic(self, left: n.Node, operator: str, precedence: int) -> n.Node:
        parts = [left, self._operand(precedence + 1)]
        while self.tokens[self.index].kind == NAME and self._accept(operator):
            parts.append(self._operand(precedence + 1))
        return n.Logic(operator == "and", tuple(parts))

    def _arithmetic(self, left: n.Node, operator: str, precedence: int) -> n.Node:
        rest = [(operator, self._operand(precedence + 1))]
        while (token := self.tokens[self.index]).kind == SYMBOL and PRECEDENCE.get(token.text) == precedence:
            self.index += 1
            rest.append((token.text, self._operand(precedence + 1)))
        return n.Arithmetic(left, tuple(rest))

    def _comparison(self, left: n.Node, operator: str) -> n.Node:
        if operator == "between":
            low = self._operand(ADD)
            self._keyword("and", "between … and …")
            return n.Between(left, low, self._operand(ADD))
        if operator == "in":
            return n.In(left, self._in_tests())
        return n.Comparison(operator, left, self._operand(ADD))

    def _operand(self, lowest: int) -> n.Node:
        """Read what stands to the right of an operator: no test such as `< 5`."""
        if self.tokens[self.index].kind == SYMBOL and self.tokens[self.index].text in COMPARISONS:
            raise self._error("这里应为一个值、名称或表达式", "a value, a name or an expression")
        return self._binary(lowest)

    def _in_tests(self) -> tuple[n.Node, ...]:
        if self.tokens[self.index].text != "(":
            return (self._binary(ADD),)
        self.index += 1
        tests = self._tests()
        if len(tests) > 1:
            self._symbol(")")
            return tests
        if self._accept(".."):
            only = self._interval(tests[0], low_closed=False)
        else:
            self._symbol(")")
            only = tests[0]
        return (self._binary(ADD, self._postfix(only)),)

    def _unary(self) -> n.Node:
        minus = 0
        while (token := self.tokens[self.index]).text == "-" and token.kind == SYMBOL:
            self.index += 1
            minus += 1
        if minus % 2 and token.kind == NUMBER:  # the minus is part of the literal (rule 37): -1 instance of number
            self.index += 1
            return self._postfix(n.Literal(numbers.negated(self._number(token))))
        node = self._postfix(self._primary())
        for _ in range(minus if minus < 3 else 2 - minus % 2):
            node = n.Negate(node)
        return node

    def _postfix(self, node: n.Node) -> n.Node:
        while True:
            token = self.tokens[self.index]
            if token.kind == SYMBOL and token.text == ".":
                self.index += 1
                node = n.Path(node, self._member(node))
            elif token.kind == SYMBOL and token.text == "[":
                if self.tokens[self.index + 1].text in AFTER_OPEN_END:
                    return node  # the open end of an interval: ]1..5[
                self.index += 1
                self.names.open()
                for name in self.shapes.entries(node):
                    self.names.add(name)
                condition = self.expression()
                self.names.close()
                self._symbol("]")
                node = n.Filter(node, condition)
            elif token.kind == SYMBOL and token.text == "(":
                self.index += 1
                node = self._call(node)
            elif token.kind == NAME and token.text == "instance" and self.tokens[self.index + 1].text == "of":
                self.index += 2
                node = n.InstanceOf(node, self.type())
            else:
                return node

    def _call(self, callee: n.Node) -> n.Node:
        arguments: list[n.Node] = []
        names: list[str] = []
        if not self._accept(")"):
            while True:
                name = self._argument_name()
                if (name is None and names) or (name is not None and len(names) < len(arguments)):
                    raise self._error("参数要么都带名称，要么都不带 (arguments are all named or all without names)")
                if name is not None:
                    names.append(name)
                arguments.append(self.expression())
                if not self._accept(","):
                    break
            self._symbol(")")
        return n.Call(callee, tuple(arguments), tuple(names) if names else None)

    def _argument_name(self) -> str | None:
        index = self.index
        while self.tokens[index].kind in (NAME, NUMBER) or self.tokens[index].text in NAME_SYMBOLS:
            index += 1
        if index == self.index or self.tokens[index].text != ":" or self.tokens[self.index].kind != NAME:
            return None
        name = self._source(self.index, index)
        self.index = index + 1
        return name

    # --- primary expressions ----------------------------------------------------------------------------------------

    def _primary(self) -> n.Node:
        token = self.tokens[self.index]
        if token.kind == NAME:
            return self._word(token)
        self.index += 1
        if token.kind == NUMBER:
            return n.Literal(self._number(token))
        if token.kind == STRING:
            return n.Literal(unquote(token.text))
        primary = self._symbols.get(token.text) if token.kind == SYMBOL else None
        if primary is not None:
            return primary(self)
        if token.text in COMPARISONS:
            self._nest()
            bound = n.Bound(token.text, self._operand(ADD))
            self.nesting -= 1
            return bound
        self.index -= 1
        raise self._error("这里应为一个值、名称或表达式", "a value, a name or an expression")

    def _number(self, token: Token) -> Decimal:
        try:
            return numbers.CONTEXT.create_decimal(token.text)
        except (InvalidOperation, Overflow):
            raise syntax_error(self.text, token.position, "数字太大 (the number is too large)") from None

    def _word(self, token: Token) -> n.Node:
        if token.text[0] == "`":
            self.index += 1
            return n.Name(bare(token.text), token.position)
        known = self.names.match(self.tokens, self.index)
        if known is None and token.text in STARTS and (compound := self._compound(token)) is not None:
            return compound
        known = known or self.built_in.match(self.tokens, self.index)
        if known is not None:
            self.index += known[1]
            return n.Name(known[0], token.position)
        if token.text in FORMER_FUNCTIONS and self.tokens[self.index + 1].text == "(":
            self.index += 1
            return n.Name(token.text, token.position)
        if token.text in STOPS:
            raise self._error("这里应为一个值、名称或表达式", "a value, a name or an expression")
        if token.text in CONSTANTS:
            self.index += 1
            return n.Literal(CONSTANTS[token.text])
        return n.Name(self._joined(), token.position)

    def _compound(self, token: Token) -> n.Node | None:
        following = self.tokens[self.index + 1]
        if token.text == "function" and following.text != "(":
            return None
        self.index += 1
        if token.text == "if":
            return self._if()
        if token.text == "for":
            return self._for()
        if token.text == "function":
            return self._function()
        return self._quantified(every=token.text == "every")

    def _member(self, base: n.Node) -> str:
        known = None
        if self.tokens[self.index].kind != END and not self.tokens[self.index + 1].text.startswith(AFTER_NAME):
            entries = NameTable(filter(needs_scope, self.shapes.entries(base)))
            known = entries.match(self.tokens, self.index) or self.names.match(self.tokens, self.index)
        if known is not None:
            self.index += known[1]
            return known[0]
        if self.tokens[self.index].kind != NAME:
            raise self._error("“.” 之后应为名称", "a name after the dot")
        return self._joined()

    def _parenthesis(self) -> n.Node:
        node = self.expression()
        if self._accept(".."):
            return self._interval(node, low_closed=False)
        self._symbol(")")
        return node

    def _bracket(self) -> n.Node:
        if self._accept("]"):
            return n.List(())
        first = self.expression()
        if self._accept(".."):
            return self._interval(first, low_closed=True)
        items = [first]
        while self._accept(","):
            items.append(self.expression())
        self._symbol("]")
        return n.List(tuple(items))

    def _open_interval(self) -> n.Node:
        low = self.expression()
        if not self._accept(".."):
            raise self._error("区间的两端之间应为 “..”", '".." between the ends of a range')
        return self._interval(low, low_closed=False)

    def _interval(self, low: n.Node, low_closed: bool) -> n.Node:
        high, high_closed = self._interval_end()
        return n.Interval(low, high, low_closed, high_closed)

    def _interval_end(self) -> tuple[n.Node, bool]:
        """Read the high end of an interval; return it and whether it is closed."""
        high = self.expression()
        for end in ("]", ")", "["):
            if self._accept(end):
                return high, end == "]"
        raise self._error("区间应以 “]”、“)” 或 “[” 结束", 'the end of the range: "]", ")" or "["')

    def _context(self) -> n.Node:
        entries: list[tuple[str, n.Node]] = []
        self._open()
        if not self._accept("}"):
            while True:
                key = self._key()
                self.names.add(key)
                value = self.expression()
                self.shapes.add(key, value)
                entries.append((key, value))
                if not self._accept(","):
                    break
            self._symbol("}")
        self._close()
        return n.Context(tuple(entries))

    def _key(self) -> str:
        token = self.tokens[self.index]
        if token.kind == STRING:
            self.index += 1
            self._symbol(":")
            return unquote(token.text)
        return self._name_before(frozenset({":"}), "项的名称和 “:”", 'the name of an entry and ":"')

    def _at(self) -> n.Node:
        token = self.tokens[self.index]
        if token.kind != STRING:
            raise self._error("“@” 之后应为字符串", 'a string after "@"')
        self.index += 1
        text = unquote(token.text)
        value = parse_any(text)
        return n.Unreadable(text) if value is None else n.Literal(value)

    _symbols: ClassVar[Mapping[str, Callable[[Parser], n.Node]]] = {
        "(": _parenthesis,
        "[": _bracket,
        "]": _open_interval,
        "{": _context,
        "@": _at,
    }

    # --- compound expressions ---------------------------------------------------------------------------------------

    def _if(self) -> n.Node:
        condition = self.expression()
        self._keyword("then", "if … then … else …")
        yes = self.expression()
        self._keyword("else", "if … then … else …")
        return n.If(condition, yes, self.expression())

    def _iterators(self) -> tuple[n.Iterator, ...]:
        iterators: list[n.Iterator] = []
        while True:
            name = self._name_before(frozenset({"in"}), "变量名和 in", 'a variable name and "in"')
            source = self.expression()
            end = self.expression() if self._accept("..") else None
            iterators.append(n.Iterator(name, source, end))
            self.names.add(name)
            self.shapes.add(name, source)
            if not self._accept(","):
                return tuple(iterators)

    def _for(self) -> n.Node:
        self._open()
        iterators = self._iterators()
        self._keyword("return", "for … in … return …")
        body = self.expression()
        self._close()
        return n.For(iterators, body)

    def _quantified(self, every: bool) -> n.Node:
        self._open()
        iterators = self._iterators()
        self._keyword("satisfies", f"{'every' if every else 'some'} … in … satisfies …")
        condition = self.expression()
        self._close()
        return n.Quantified(every, iterators, condition)

    def _function(self) -> n.Node:
        self._symbol("(")
        self._open()
        parameters: list[tuple[str, FeelType | None]] = []
        if not self._accept(")"):
            while True:
                start = self.index
                while self.tokens[self.index].text not in (":", ",", ")", ""):
                    self.index += 1
                if start == self.index:
                    raise self._error("这里应为参数名", "the name of a parameter")
                name = self._source(start, self.index)
                self.names.add(name)
                self.shapes.add(name, None)
                parameters.append((name, self.type() if self._accept(":") else None))
                if not self._accept(","):
                    break
            self._symbol(")")
        external = self.tokens[self.index].text == "external"
        self.index += external
        body = self.expression()
        self._close()
        return n.Function(tuple(parameters), body, external)

    def _open(self) -> None:
        self.names.open()
        self.shapes.open()

    def _close(self) -> None:
        self.shapes.close()
        self.names.close()
