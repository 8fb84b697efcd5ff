"""Reads `organisation.yaml`: groups and the people of a demonstration or a scenario."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from engine.errors import Refused
from engine.facade import Engine


@dataclass(frozen=True, slots=True)
class Group:
    """A candidate group with its name in Chinese and English."""

    id: str
    name: str
    name_en: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A person. `attributes`: name → values (expertise, team, department, …)."""

    username: str
    name: str
    groups: tuple[str, ...]
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Organisation:
    """Groups and people."""

    groups: tuple[Group, ...] = ()
    people: tuple[Person, ...] = ()

    def enter(self, engine: Engine, *, password: str | None = None) -> None:
        """Enter everybody into an engine; those who are there already stay as they are."""
        known = {group.id for group in engine.groups()}
        for group in self.groups:
            if group.id not in known:
                engine.add_group(group.id, group.name, group.name_en)
        usernames = {user.username for user in engine.users()}
        for person in self.people:
            if person.username not in usernames:
                engine.add_user(
                    person.username, person.name, groups=person.groups, attributes=dict(person.attributes), password=password
                )


def read_organisation(path: Path) -> Organisation:
    """Read the file; `per_group` and `counts` make the numbered people (`finance-1`, `finance-2`, …).

    Raises:
        Refused: the file is not there or not as it should be.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        groups = tuple(Group(item["id"], item["name"], item.get("name_en", "")) for item in document["groups"])
        attributes = document.get("attributes", {})
        named = [person_of(item, attributes) for item in document.get("people", ())]
        people = {person.username: person for person in (*_numbered(groups, document, attributes), *named)}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"{path}: cannot be read as an organisation: {error}") from error
    return Organisation(groups, tuple(people.values()))


def person_of(item: Mapping[str, Any], attributes: Mapping[str, Any] | None = None) -> Person:
    """Return a person from an entry `{id, name, groups, attributes}`."""
    more = {**(attributes or {}).get(item["id"], {}), **item.get("attributes", {})}
    return Person(item["id"], item.get("name", item["id"]), tuple(item.get("groups", ())), more)


def _numbered(groups: Iterable[Group], document: Mapping[str, Any], attributes: Mapping[str, Any]) -> Iterable[Person]:
    own = {group for item in document.get("people", ()) for group in item.get("groups", ())}
    for group in groups:
        if group.id in own:
            continue
        for number in range(1, document.get("counts", {}).get(group.id, document.get("per_group", 1)) + 1):
            username = f"{group.id}-{number}"
            yield person_of({"id": username, "name": f"{group.name} {number} 号", "groups": [group.id]}, attributes)
