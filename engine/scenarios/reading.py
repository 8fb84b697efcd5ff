"""Reads a scenario file (YAML) and says in plain words, with the line, what cannot be understood.

A file holds one scenario: `title`, `rule`, `process`, `given`, `steps`. Numbers with a point are read as decimals,
moments stay text until they are checked here; nothing in the file is executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from engine.errors import Refused

ACTS = (
    "complete",
    "claim",
    "unclaim",
    "draft",
    "message",
    "trigger",
    "signal",
    "start",
    "find",
    "deploy",
    "down",
    "up",
    "resolve",
    "substitute",
    "suspend",
    "resume",
    "cancel",
)
_ACT_WORDS = {"by", "with", "key", "index", "where", "reason", "from", "to", "groups", "processes", "as", "at", "business_id"}
_ACT_WORDS |= {"for", "ttl", "files"}
_THEN_WORDS = {
    "waiting",
    "not_waiting",
    "passed",
    "not_passed",
    "never",
    "tasks",
    "alerts",
    "variables",
    "state",
    "incidents",
    "sees",
    "late",
    "recorded",
}
_STEP_WORDS = {"at", "after", "do", "case", "child", "refused", "then", "note"}
_GIVEN_WORDS = {"now", "by", "people", "business_id", "variables", "at", "also"}


class ScenarioError(Refused):
    """The scenario file cannot be understood."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing somebody does. `kind` is one of ACTS, `target` what stands behind it (an element id, a message name, …)."""

    kind: str
    target: Any
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """A moment, perhaps an act, and what must hold afterwards.

    Attributes:
        at: aware moment, or None where `after` (an ISO 8601 duration from the step before) is given, or time stands still.
        case: name of the case the act and the expectations are about; None = the main one.
        child: process id of a called case below it; None = the case itself.
        refused: the act must be refused; what the refusal must say (`rule`, `field`, `code`, `text`).
        line: line in the file.
    """

    at: datetime | None
    after: str | None
    act: Act | None
    case: str | None
    child: str | None
    refused: Mapping[str, Any] | None
    then: Mapping[str, Any]
    line: int


@dataclass(frozen=True, slots=True)
class Start:
    """How a case begins: process, starter, variables, and the element to start before (None = the start event)."""

    process: str
    by: str | None
    variables: Mapping[str, Any]
    at: str | None = None
    business_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario as read. `rules` are the rules it shows."""

    path: Path
    title: str
    rules: tuple[str, ...]
    now: datetime
    main: Start
    also: tuple[Start, ...]
    people: tuple[Mapping[str, Any], ...]
    steps: tuple[Step, ...]
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem


class _Loader(yaml.SafeLoader):
    """SafeLoader that keeps numbers exact and moments as text, refuses a key given twice and remembers lines."""


def _decimal(loader: yaml.SafeLoader, item: yaml.ScalarNode) -> Decimal:
    return Decimal(str(loader.construct_scalar(item)).replace("_", ""))


def _mapping(loader: yaml.SafeLoader, item: yaml.MappingNode) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for key_item, value_item in item.value:
        key = loader.construct_object(key_item, deep=True)
        if key in result:
            raise ScenarioError(f"“{key}” stands twice", line=key_item.start_mark.line + 1)
        result[key] = loader.construct_object(value_item, deep=True)
    return _Lined(result, item.start_mark.line + 1)


class _Lined(dict[Any, Any]):
    """A mapping that knows its line in the file."""

    def __init__(self, content: Mapping[Any, Any], line: int) -> None:
        super().__init__(content)
        self.line = line


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_scenarios(paths: Sequence[Path]) -> Iterator[Scenario]:
    """Read all scenario files at or below the paths, in the order of their names.

    Raises:
        ScenarioError: a file cannot be understood, or a path is not there.
    """
    for path in paths:
        if path.is_file():
            yield read_scenario(path)
        elif path.is_dir():
            for file in sorted(path.rglob("scenarios/*.yaml")) or sorted(path.glob("*.yaml")):
                yield read_scenario(file)
        else:
            raise ScenarioError(f"{path}: there is no such file or folder")


def read_scenario(path: Path) -> Scenario:
    """Read one scenario file.

    Raises:
        ScenarioError: says the file, the line and what is not understood.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
        return _scenario(path, _words(document, {"title", "rule", "process", "given", "steps", "note"}, "a scenario"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ScenarioError(f"{path}: not YAML: {error}", line=mark.line + 1 if mark else None) from error
    except ScenarioError as error:
        raise ScenarioError(f"{path}:{error.line or 1}: {error.message}", line=error.line) from error


def _scenario(path: Path, document: Mapping[str, Any]) -> Scenario:
    for word in ("title", "rule", "process", "given", "steps"):
        if word not in document:
            raise ScenarioError(f"“{word}” is missing")
    given = _words(document["given"], _GIVEN_WORDS, "given")
    if "now" not in given:
        raise ScenarioError("given: “now” is missing: the moment the case starts", line=_line(given))
    rules = document["rule"]
    return Scenario(
        path=path,
        title=str(document["title"]),
        rules=tuple(str(rule) for rule in (rules if isinstance(rules, list) else [rules])),
        now=_moment(given["now"], given),
        main=_start({**given, "process": document["process"]}),
        also=tuple(_start(item) for item in given.get("also", ())),
        people=tuple(given.get("people", ())),
        steps=tuple(_step(item) for item in document["steps"]),
        given=given,
    )


def _start(item: Mapping[str, Any]) -> Start:
    words = _words(item, _GIVEN_WORDS | {"process", "as"}, "a case")
    if "process" not in words:
        raise ScenarioError("a case needs a “process”", line=_line(item))
    return Start(
        process=words["process"],
        by=words.get("by"),
        variables=words.get("variables") or {},
        at=words.get("at"),
        business_id=words.get("business_id"),
        name=words.get("as"),
    )


def _step(item: Any) -> Step:
    step = _words(item, _STEP_WORDS, "a step")
    line = _line(step)
    if "at" in step and "after" in step:
        raise ScenarioError("a step has either “at” or “after”", line=line)
    act = _act(step["do"], line) if step.get("do") else None
    if step.get("refused") is not None and act is None:
        raise ScenarioError("“refused” needs a “do”", line=line)
    return Step(
        at=_moment(step["at"], step) if "at" in step else None,
        after=str(step["after"]) if "after" in step else None,
        act=act,
        case=step.get("case"),
        child=step.get("child"),
        refused=step.get("refused"),
        then=_words(step.get("then") or {}, _THEN_WORDS, "then", line),
        line=line,
    )


def _act(item: Any, line: int) -> Act:
    words = _words(item, _ACT_WORDS | set(ACTS), "do", line)
    kinds = [word for word in words if word in ACTS]
    if len(kinds) != 1:
        raise ScenarioError(f"“do” needs exactly one of: {', '.join(ACTS)}", line=line)
    return Act(kinds[0], words[kinds[0]], {word: value for word, value in words.items() if word not in ACTS})


def _words(item: Any, known: set[str], where: str, line: int | None = None) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise ScenarioError(f"{where}: words with values are expected", line=line)
    for word in item:
        if word not in known:
            raise ScenarioError(f"{where}: “{word}” is not known; known are: {', '.join(sorted(known))}", line=_line(item))
    return item


def _moment(value: Any, item: Mapping[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ScenarioError(f"“{value}” is not a moment like 2026-11-20T18:05+08:00", line=_line(item)) from error
    if moment.tzinfo is None:
        raise ScenarioError(f"“{value}” needs a zone: {value}+08:00", line=_line(item))
    return moment


def _line(item: Any) -> int:
    return getattr(item, "line", 1)
