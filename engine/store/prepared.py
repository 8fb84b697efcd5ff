"""Statements compiled once and handed to the driver as they are.

SQLAlchemy's way from a statement to a row costs more than the database's for the small statements that commands are made of. A
statement that is kept (a module's constant) is compiled by SQLAlchemy at its third use, for the dialect and the parameters
given; from then on only its text, the parameters' conversions and the rows' go to the driver's cursor. What is built for one
use, streams, or has lists in it (`IN`), takes SQLAlchemy's way; so does everything while somebody listens to cursors.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from engine.store.types import ExactJson, Moment, Sha256

Convert = Callable[[Any], Any]
_LISTS = frozenset({list, tuple})
_REQUIRED = object()


class Rows:
    """What a prepared statement found: rows with columns by name and by place, as SQLAlchemy's.

    Attributes:
        rowcount: how many rows a change met.
    """

    __slots__ = ("_found", "rowcount")

    def __init__(self, found: list[Any], rowcount: int) -> None:
        self._found = found
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self._found)

    def all(self) -> Sequence[Any]:
        """Return all rows."""
        return self._found

    def first(self) -> Any:
        """Return the first row, or None."""
        return self._found[0] if self._found else None

    def scalar(self) -> Any:
        """Return the first column of the first row, or None."""
        return self._found[0][0] if self._found else None


class Prepared:
    """A compiled statement, for one dialect and one set of parameters."""

    def __init__(self, compiled: SQLCompiler, dialect: Dialect) -> None:
        self.text = compiled.string
        self._positional = compiled.positional
        constants = compiled.construct_params({}, _check=False)
        convert = compiled._bind_processors  # noqa: SLF001  # what SQLAlchemy itself converts with
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        names = compiled.positiontup if self._positional else list(binds)
        escaped: Mapping[str, str] = compiled.escaped_bind_names or {}
        # (its name in the text, the caller's name, a conversion or None, the value where the caller gives none)
        self._slots: list[tuple[str, str, Convert | None, Any]] = [
            (
                escaped.get(name, name),
                binds[name].key,
                _binder(binds[name].type, dialect, cast("Convert | None", convert.get(name))),
                _REQUIRED if binds[name].required else constants[name],
            )
            for name in names or ()
        ]
        self._names = [slot[0] for slot in self._slots]
        columns = compiled._result_columns  # noqa: SLF001  # the same for rows
        self._converts: list[tuple[int, Convert]] = []
        self._row: Callable[[Any], Any] | None = None
        if columns:
            shape = namedtuple("Found", [column.keyname or "" for column in columns], rename=True)  # type: ignore[misc]
            self._row = shape._make
            for place, column in enumerate(columns):
                conversion = _reader(column.type, dialect)
                if conversion is not None:
                    self._converts.append((place, conversion))

    def bind(self, given: Mapping[str, Any]) -> Any:
        """Return the driver's parameters of a caller's.

        Raises:
            KeyError: the caller gives no value for one that has none of its own.
        """
        values = [
            (value if convert is None else convert(value))
            for value, convert in [
                (given[key] if constant is _REQUIRED else given.get(key, constant), convert)
                for _, key, convert, constant in self._slots
            ]
        ]
        return tuple(values) if self._positional else dict(zip(self._names, values, strict=True))

    def execute(self, connection: Connection, given: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None) -> Rows:
        """Execute it in the connection's transaction.

        Raises:
            DBAPIError: as SQLAlchemy raises.
        """
        many = type(given) in _LISTS
        parameters: Any = list(map(self.bind, given)) if many else self.bind(given or {})  # type: ignore[arg-type]
        driver = connection.connection.dbapi_connection
        assert driver is not None
        cursor = driver.cursor()
        try:
            if many:
                cursor.executemany(self.text, parameters)
            else:
                cursor.execute(self.text, parameters)
            if self._row is None or cursor.description is None:
                return Rows([], cursor.rowcount)
            rows = cursor.fetchall()
            return Rows(list(map(self._row, map(self._converted, rows) if self._converts else rows)), cursor.rowcount)
        except Exception as error:
            raise _as_raised_by_sqlalchemy(connection, self.text, parameters, error) from error
        finally:
            cursor.close()

    def _converted(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for place, convert in self._converts:
            values[place] = convert(values[place])
        return values


def _binder(kind: TypeEngine[Any], dialect: Dialect, usual: Convert | None) -> Convert | None:
    """Return how a parameter is converted: our own types at once, without SQLAlchemy's step in between."""
    if isinstance(kind, Moment | ExactJson | Sha256):
        return partial(_bind_own, kind.process_bind_param, dialect)
    return usual


def _bind_own(convert: Callable[[Any, Dialect], Any], dialect: Dialect, value: Any) -> Any:
    return None if value is None else convert(value, dialect)


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """Return how a column is converted."""
    if isinstance(kind, Moment | ExactJson | Sha256):
        return partial(_bind_own, kind.process_result_value, dialect)
    return kind._cached_result_processor(dialect, None)  # noqa: SLF001  # what SQLAlchemy itself converts with


_Kept = dict[tuple[str, tuple[str, ...]], Prepared | None]
_PREPARED: WeakKeyDictionary[Executable, _Kept] = WeakKeyDictionary()
_ONCE, _TWICE = ("", ("once",)), ("", ("twice",))


def watched(connection: Connection) -> bool:
    """Whether somebody counts or traces what cursors execute."""
    return bool(connection.engine.dispatch.before_cursor_execute)


def prepared(dialect: Dialect, statement: Executable, given: Any) -> Prepared | None:
    """Return a statement prepared for these parameters; None where it takes SQLAlchemy's way."""
    kept = _PREPARED.get(statement)
    if kept is None:
        _PREPARED[statement] = {_ONCE: None}
        return None
    if _TWICE not in kept:
        kept[_TWICE] = None  # what was built for one use may be used for two lists; at its third it is worth the while
        return None
    if not given:
        names: tuple[str, ...] = ()
    else:
        names = tuple(given[0] if type(given) in _LISTS else given)
    try:
        return kept[dialect.name, names]
    except KeyError:
        found = kept[dialect.name, names] = _prepare(statement, dialect, names)
        return found


def _prepare(statement: Executable, dialect: Dialect, names: tuple[str, ...]) -> Prepared | None:
    if statement.get_execution_options():
        return None
    compiled = statement.compile(dialect=dialect, column_keys=sorted(names))  # type: ignore[attr-defined]
    if not isinstance(compiled, SQLCompiler) or compiled.post_compile_params or compiled.literal_execute_params:
        return None
    return Prepared(compiled, dialect)


def _as_raised_by_sqlalchemy(connection: Connection, text: str, parameters: Any, error: Exception) -> Exception:
    dialect = cast(DefaultDialect, connection.dialect)
    kind = dialect.loaded_dbapi.Error
    if not isinstance(error, kind):
        return error
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
    if lost:
        connection.invalidate(error)
    raised = DBAPIError.instance(text, parameters, error, kind, connection_invalidated=lost, dialect=dialect)
    return cast(Exception, raised)
