"""What requests and responses are made of: camelCase JSON, keys as strings, moments with their offset, nothing unknown.

Requests are checked strictly: a text is no number, a number no text. Numbers inside variables stay exact (`Decimal`).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    StringConstraints,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    create_model,
    model_validator,
)
from pydantic.alias_generators import to_camel, to_snake

from engine.errors import InvalidValue
from engine.queries.searching import Condition, Order, Page, PageRequest, Search
from engine.store import exact_json
from webui.v2.problems import ApiProblem

TENANT = "<default>"
"""The one tenant there is, as Camunda names it."""

T = TypeVar("T")


class Model(BaseModel):
    """A JSON object of the API."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", strict=True)

    def as_json(self) -> dict[str, Any]:
        """Return the object as it is sent."""
        return self.model_dump(by_alias=True)


# --- values -----------------------------------------------------------------------------------------------------------

_KEY = re.compile(r"[0-9]{1,19}")
_GREATEST = 2**63 - 1
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


def _read_key(value: Any, info: ValidationInfo) -> int:
    """Return a key: a text of digits in what clients send, a number in what we send."""
    if isinstance(value, str) and _KEY.fullmatch(value) and int(value) <= _GREATEST:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and not info.context:
        return value
    raise ValueError("must be a key: a string of digits")


def _read_moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("must be a date and time with Z or an offset, such as 2026-11-20T10:00:00+08:00")
    text = re.sub(r"(\.\d{6})\d+", r"\1", value.upper())
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"is no moment: {error}") from error


def write_moment(moment: datetime) -> str:
    """Return a moment in UTC, milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _without_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not contain NUL")
    return value


Key = Annotated[
    int,
    BeforeValidator(_read_key),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "format": "int64", "pattern": "^[0-9]{1,19}$", "maxLength": 19}),
]
Moment = Annotated[
    datetime,
    BeforeValidator(_read_moment),
    PlainSerializer(write_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Text = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_without_nul)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_without_nul)]
Integer = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
Variables = Annotated[dict[str, Any], WithJsonSchema({"type": "object", "additionalProperties": True})]
TenantId = Annotated[str, WithJsonSchema({"type": "string"})]


def only_tenant(value: str | None) -> str | None:
    """Check that a request names no tenant but the one there is."""
    if value not in {None, TENANT}:
        raise ValueError(f"there is one tenant: {TENANT}")
    return value


OwnTenant = Annotated[str | None, AfterValidator(only_tenant)]
"""`tenantId` of requests."""

OperationReference = Annotated[int | None, Field(ge=1, le=_GREATEST)]
"""A client's own number for an operation: accepted, kept nowhere."""

# --- filters ----------------------------------------------------------------------------------------------------------

_ORDERING = ("gt", "gte", "lt", "lte")


def filter_of(name: str, value: Any, *, like: bool = False, order: bool = False) -> Any:
    """Return the type of a filter's field: a plain value, or an object of operators.

    Args:
        name: of the operators' schema, e.g. `StateOperators`.
        value: the type of a value.
        like: whether `$like` is known; order: `$gt`, `$gte`, `$lt`, `$lte`.
    """
    fields: dict[str, Any] = {
        "eq": (value | None, Field(default=None, alias="$eq")),
        "neq": (value | None, Field(default=None, alias="$neq")),
        "exists": (bool | None, Field(default=None, alias="$exists")),
        "in_": (list[value] | None, Field(default=None, alias="$in", max_length=1000)),
        "not_in": (list[value] | None, Field(default=None, alias="$notIn", max_length=1000)),
    }
    if like:
        fields["like"] = (Text | None, Field(default=None, alias="$like"))
    if order:
        fields |= {word: (value | None, Field(default=None, alias=f"${word}")) for word in _ORDERING}
    operators = create_model(name, __base__=Operators, **fields)
    return Annotated[Annotated[value, Tag("$value")] | Annotated[operators, Tag("$operators")], Discriminator(_shape)] | None


def _shape(value: Any) -> str:
    return "$operators" if isinstance(value, Mapping | Model) else "$value"


class Operators(Model):
    """Advanced operators on one field; all of them hold."""

    def conditions(self, field: str) -> list[Condition]:
        """Return them as the engine's conditions."""
        return [
            Condition(field, name.rstrip("_"), getattr(self, name))
            for name in type(self).model_fields
            if getattr(self, name) is not None
        ]


StringFilter = filter_of("StringOperators", Text, like=True)
IntegerFilter = filter_of("IntegerOperators", Integer, order=True)
KeyFilter = filter_of("KeyOperators", Key)
MomentFilter = filter_of("MomentOperators", Moment, order=True)


class Filter(Model):
    """What a search looks for: each field is a filter, or a plain value; those given hold together.

    Attributes:
        APART: names of fields that are no columns; the module that declares them deals with them.
        MISSING: names (camelCase) of Camunda's filters that we do not have: they answer 501.
    """

    APART: ClassVar[frozenset[str]] = frozenset()
    MISSING: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _not_missing(cls, value: Any) -> Any:
        for name in sorted(cls.MISSING.intersection(value)) if isinstance(value, Mapping) else ():
            raise ApiProblem(501, f"Liuzhuan does not implement the filter {name}.", field=f"filter.{name}")
        return value

    def conditions(self) -> tuple[Condition, ...]:
        """Return the engine's conditions; a field's name (snake case) is the name of the engine's column."""
        found: list[Condition] = []
        for name in type(self).model_fields:
            value = getattr(self, name)
            if value is None or name in self.APART:
                continue
            found += value.conditions(name) if isinstance(value, Operators) else [Condition(name, "eq", value)]
        return tuple(found)


# --- searches ---------------------------------------------------------------------------------------------------------

# Clients check that a cursor is Base64 of the standard alphabet, padded.
Cursor = Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=r"^[A-Za-z0-9+/]+={0,2}$")]


class PageOfRequest(Model):
    """Which page: by offset (`from`), behind a cursor (`after`) or before one (`before`); at most `limit` items."""

    from_: int | None = Field(default=None, alias="from", ge=0, le=1_000_000)
    limit: int | None = Field(default=None, ge=0, le=10_000)
    after: Cursor | None = None
    before: Cursor | None = None

    @model_validator(mode="after")
    def _one_way(self) -> PageOfRequest:
        if sum(item is not None for item in (self.from_, self.after, self.before)) > 1:
            raise ValueError("takes one of from, after and before")
        return self


F = TypeVar("F", bound=Filter)
S = TypeVar("S", bound=str)


class SortItem(Model, Generic[S]):
    """By what results are sorted."""

    field: S
    order: Literal["ASC", "DESC"] = "ASC"


class SearchRequest(Model, Generic[F, S]):
    """A search: `SearchRequest[MyFilter, Literal["name", "version"]]`."""

    filter: F | None = None
    sort: list[SortItem[S]] | None = Field(default=None, max_length=10)
    page: PageOfRequest | None = None

    def search(self, *, any_of: Sequence[Filter] | None = None) -> Search:
        """Return the engine's search.

        Raises:
            ValueError: a cursor cannot be read (the problem names `page.after` or `page.before`).
        """
        page = self.page or PageOfRequest()
        limit = 100 if page.limit is None else page.limit
        request = PageRequest(page.from_ or 0, limit, _read_cursor(page.after, "after"), _read_cursor(page.before, "before"))
        return Search(
            conditions=self.filter.conditions() if self.filter else (),
            any_of=tuple(item.conditions() for item in any_of or ()),
            order=tuple(Order(to_snake(item.field), item.order == "DESC") for item in self.sort or ()),
            page=request,
        )


class PageOfResponse(Model):
    """Where in the results a page is; `totalItems` is counted up to 10,000."""

    total_items: int
    has_more_total_items: bool
    start_cursor: str | None
    end_cursor: str | None


class SearchResponse(Model, Generic[T]):
    """A page of results: `SearchResponse[ItemResult]`."""

    items: list[T]
    page: PageOfResponse

    @classmethod
    def of(cls, items: Sequence[T], page: Page) -> Self:
        """Return the response of a page that the engine found."""
        where = PageOfResponse(
            total_items=page.total,
            has_more_total_items=page.more,
            start_cursor=_write_cursor(page.first),
            end_cursor=_write_cursor(page.last),
        )
        return cls(items=list(items), page=where)

    @classmethod
    def all_of(cls, items: Sequence[T]) -> Self:
        """Return the response that holds everything, where there are no pages."""
        where = PageOfResponse(total_items=len(items), has_more_total_items=False, start_cursor=None, end_cursor=None)
        return cls(items=list(items), page=where)


Item = TypeVar("Item", bound=Model)


def page_of(items: Sequence[Item], wanted: SearchRequest[Any, Any]) -> SearchResponse[Item]:
    """Sort and page a list that is at hand as a whole; the cursors are places in it."""
    found = list(items)
    for item in reversed(wanted.sort or ()):
        name = to_snake(item.field)
        found.sort(key=lambda each: (getattr(each, name) is None, getattr(each, name)), reverse=item.order == "DESC")
    page = wanted.page or PageOfRequest()
    limit = 100 if page.limit is None else page.limit
    begin = page.from_ or 0
    if page.after is not None:
        begin = _number(page.after, "after") + 1
    end = begin + limit
    if page.before is not None:
        end = _number(page.before, "before")
        begin = max(end - limit, 0)
    shown = found[begin:end]
    where = PageOfResponse(
        total_items=len(found),
        has_more_total_items=False,
        start_cursor=_write_cursor((begin,)) if shown else None,
        end_cursor=_write_cursor((begin + len(shown) - 1,)) if shown else None,
    )
    return SearchResponse[Any](items=shown, page=where)


def _number(cursor: str, name: str) -> int:
    place = _read_cursor(cursor, name) or ()
    if len(place) != 1 or not isinstance(place[0], int) or place[0] < 0:
        raise InvalidValue("游标不属于这次查询（the cursor belongs to another search）", field=f"page.{name}")
    return place[0]


def _write_cursor(place: tuple[Any, ...] | None) -> str | None:
    if place is None:
        return None
    return base64.b64encode(exact_json.dumps(list(place)).encode()).decode("ascii")


def _read_cursor(text: str | None, name: str) -> tuple[Any, ...] | None:
    if text is None:
        return None
    try:
        place = exact_json.loads(base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode())
    except (ValueError, InvalidValue) as error:
        raise InvalidValue("游标无法识别（not a cursor of this server）", field=f"page.{name}") from error
    if not isinstance(place, list) or any(isinstance(item, int) and abs(item) > _GREATEST for item in place):
        raise InvalidValue("游标无法识别（not a cursor of this server）", field=f"page.{name}")
    return tuple(place)
