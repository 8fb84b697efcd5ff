"""Terms of the model, evaluated to what the kernel needs; a value of the wrong kind is trouble that names both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from engine import feel
from engine.definitions import iso8601
from engine.definitions.model import Term
from engine.errors import LiuzhuanError
from engine.kernel.trouble import EXTRACT_VALUE_ERROR, Trouble
from engine.kernel.variables import Value


class Evaluation:
    """Evaluates terms in one FEEL environment."""

    def __init__(self, environment: feel.Environment) -> None:
        self.environment = environment

    @property
    def zone(self) -> tzinfo:
        """The time zone that local dates and times mean."""
        return self.environment.zone

    def value(self, term: Term, view: Mapping[str, Value], kind: str = EXTRACT_VALUE_ERROR) -> Value:
        """Return the value as JSON; static text is itself."""
        return self._evaluate(term, view, kind)[0]

    def result(self, term: Term, view: Mapping[str, Value]) -> tuple[Value, str]:
        """Return the value as JSON, and a sentence where it is null for a reason that FEEL warned of; else empty."""
        value, why = self._evaluate(term, view, EXTRACT_VALUE_ERROR)
        return value, f"表达式 {term.text} 没有结果{why} / the expression has no result" if value is None and why else ""

    def boolean(self, term: Term, view: Mapping[str, Value]) -> bool:
        """Return true or false."""
        value, why = self._evaluate(term, view, EXTRACT_VALUE_ERROR)
        if not isinstance(value, bool):
            raise Trouble(
                EXTRACT_VALUE_ERROR, f"条件 {term.text} 应为真或假，结果是 {shown(value)}{why} / the condition is not a boolean"
            )
        return value

    def items(self, term: Term, view: Mapping[str, Value]) -> list[Value]:
        """Return a list."""
        value, why = self._evaluate(term, view, EXTRACT_VALUE_ERROR)
        if not isinstance(value, list):
            raise Trouble(EXTRACT_VALUE_ERROR, f"{term.text} 应为列表，结果是 {shown(value)}{why} / is not a list")
        return value

    def text(self, term: Term, view: Mapping[str, Value]) -> str:
        """Return a text; numbers are written out."""
        value, why = self._evaluate(term, view, EXTRACT_VALUE_ERROR)
        if isinstance(value, bool) or value is None or isinstance(value, list | dict):
            raise Trouble(EXTRACT_VALUE_ERROR, f"{term.text} 应为文本，结果是 {shown(value)}{why} / is not a text")
        return str(value)

    def optional_text(self, term: Term | None, view: Mapping[str, Value]) -> str | None:
        """Return a text, or None when there is no term or its value is null."""
        if term is None:
            return None
        value = self.value(term, view)
        if value is None:
            return None
        if not isinstance(value, str):
            raise Trouble(EXTRACT_VALUE_ERROR, f"{term.text} 应为文本，结果是 {shown(value)} / is not a text")
        return value

    def words(self, term: Term | None, view: Mapping[str, Value]) -> tuple[str, ...]:
        """Return names: a static comma list, or a FEEL list of texts (or one text, or null for none)."""
        if term is None:
            return ()
        if term.expression is None:
            return tuple(w.strip() for w in term.text.replace("，", ",").split(",") if w.strip())
        value = self.value(term, view)
        if value is None:
            return ()
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(w, str) for w in listed):
            raise Trouble(EXTRACT_VALUE_ERROR, f"{term.text} 应为文本的列表，结果是 {shown(value)} / is not a list of texts")
        return tuple(dict.fromkeys(w for w in listed if w))

    def number(self, term: Term, view: Mapping[str, Value]) -> int:
        """Return a whole number; texts of digits count."""
        value = self.value(term, view)
        if isinstance(value, bool) or value is None or isinstance(value, list | dict):
            raise Trouble(EXTRACT_VALUE_ERROR, f"{term.text} 应为整数，结果是 {shown(value)} / is not a whole number")
        try:
            whole = int(value)
        except (ValueError, ArithmeticError) as error:
            raise Trouble(EXTRACT_VALUE_ERROR, f"{term.text} 应为整数，结果是 {shown(value)} / is not a whole number") from error
        if str(value) != str(whole) and value != whole:
            raise Trouble(EXTRACT_VALUE_ERROR, f"{term.text} 应为整数，结果是 {shown(value)} / is not a whole number")
        return whole

    def moment(self, term: Term, view: Mapping[str, Value]) -> datetime:
        """Return a moment in UTC from a FEEL date and time or an ISO 8601 text."""
        value, why = self._evaluate(term, view, EXTRACT_VALUE_ERROR)
        if not isinstance(value, str):
            raise Trouble(EXTRACT_VALUE_ERROR, f"{term.text} 应为日期时间，结果是 {shown(value)}{why} / is not a date and time")
        try:
            return iso8601.moment(value, self.zone).astimezone(UTC)
        except ValueError as error:
            raise Trouble(EXTRACT_VALUE_ERROR, f"{term.text}：{error}") from error

    def optional_moment(self, term: Term | None, view: Mapping[str, Value]) -> datetime | None:
        """Return a moment, or None when there is no term or its value is null."""
        if term is None or self.value(term, view) is None:
            return None
        return self.moment(term, view)

    def _evaluate(self, term: Term, view: Mapping[str, Value], kind: str) -> tuple[Value, str]:
        if term.expression is None:
            return term.text, ""
        try:
            value, warnings = term.expression.evaluate_with_warnings(view, self.environment)
            why = "（" + "；".join(w.message for w in warnings[:3]) + "）" if warnings else ""
            return feel.to_json(value), why
        except (LiuzhuanError, ArithmeticError, RecursionError) as error:
            message = error.message if isinstance(error, LiuzhuanError) else str(error)
            raise Trouble(kind, f"表达式 {term.text} 失败：{message} / the expression failed") from error


def shown(value: Value) -> str:
    """Return a value as a message shows it: short."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
