"""Rule → element → scenario: where each rule of a process lives, and which scenario shows it.

    python -m engine.scenarios.rules --check processes    exit 1 where a rule has no element or no scenario
    python -m engine.scenarios.rules --write processes    write each process's README.md anew

A folder takes part when it has a `rules.yaml` (rule id → one line of meaning). A BPMN element carries rules in its extension
property `rule`, a DMN rule opens its annotation with them, a form component has them in its custom property `rule`.
`exemptions.yaml` (rule → reason) lists rules that need no element or scenario. `processes/rules.yaml` holds those common to all.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from lxml import etree

from engine.errors import LiuzhuanError
from engine.scenarios.reading import Scenario, ScenarioError, read_scenarios

_ID = re.compile(r"[A-Z]\d+(?:\.\d+)?")
_OPENING = re.compile(r"\s*([A-Z]\d+(?:\.\d+)?(?:\s*[,，、]\s*[A-Z]\d+(?:\.\d+)?)*)")
_ZEEBE = "http://camunda.org/schema/zeebe/1.0"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


@dataclass(frozen=True, slots=True)
class Place:
    """An element that carries a rule: file name, element id, name as people see it."""

    file: str
    element_id: str
    name: str


@dataclass(slots=True)
class Coverage:
    """What is known of a folder's rules."""

    folder: Path
    rules: Mapping[str, str]
    exemptions: Mapping[str, str]
    places: dict[str, list[Place]] = field(default_factory=dict)
    scenarios: dict[str, list[Scenario]] = field(default_factory=dict)

    def faults(self) -> Iterator[str]:
        """Yield a sentence for each rule that is not covered and not exempt, and for each rule id that does not exist."""
        for rule in self.rules:
            if rule in self.exemptions:
                continue
            if not self.places.get(rule):
                yield f"{self.folder.name}: {rule} has no element (property “rule” in BPMN or a form, annotation in DMN)"
            if not self.scenarios.get(rule):
                yield f"{self.folder.name}: {rule} has no scenario"
        for rule in self.exemptions:
            if rule not in self.rules:
                yield f"{self.folder.name}: exemptions.yaml: there is no rule {rule}"


def coverages(processes: Path) -> list[Coverage]:
    """Read all process folders below `processes` that have a rules.yaml; the common rules come first.

    A common rule (processes/rules.yaml) counts as covered when any folder covers it.
    """
    common = Coverage(processes, _table(processes / "rules.yaml"), _table(processes / "exemptions.yaml"))
    found = [common]
    for folder in sorted(p.parent for p in processes.glob("*/rules.yaml")):
        found.append(Coverage(folder, _table(folder / "rules.yaml"), _table(folder / "exemptions.yaml")))
    known = {rule: coverage for coverage in found for rule in coverage.rules}
    for folder in sorted(p for p in processes.iterdir() if p.is_dir()):
        for rule, place in _places(folder, processes.parent / "forms" / folder.name):
            if rule in known:
                known[rule].places.setdefault(rule, []).append(place)
        for scenario in read_scenarios([folder / "scenarios"]) if (folder / "scenarios").is_dir() else ():
            for rule in scenario.rules:
                if rule in known:
                    known[rule].scenarios.setdefault(rule, []).append(scenario)
    return found


def unknown_rules(processes: Path) -> Iterator[str]:
    """Yield a sentence for each rule id that an element or a scenario names and no rules.yaml has."""
    known = {rule for path in (processes / "rules.yaml", *processes.glob("*/rules.yaml")) for rule in _table(path)}
    for folder in sorted(p for p in processes.iterdir() if p.is_dir()):
        for rule, place in _places(folder, processes.parent / "forms" / folder.name):
            if rule not in known:
                yield f"{place.file}: {place.element_id} names {rule}, which is in no rules.yaml"
        for scenario in read_scenarios([folder / "scenarios"]) if (folder / "scenarios").is_dir() else ():
            strangers = [rule for rule in scenario.rules if rule not in known]
            yield from (f"{scenario.path}: names {rule}, which is in no rules.yaml" for rule in strangers)


def _table(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return {str(rule): str(text) for rule, text in table.items()}
    except (yaml.YAMLError, AttributeError) as error:
        raise ScenarioError(f"{path}: not a table of rule: text: {error}") from error


def _places(folder: Path, forms: Path) -> Iterator[tuple[str, Place]]:
    for path in sorted(folder.glob("*.bpmn")):
        yield from _bpmn_places(path)
    for path in sorted(folder.glob("*.dmn")):
        yield from _dmn_places(path)
    for path in sorted(forms.glob("*.form")):
        yield from _form_places(path)


def _bpmn_places(path: Path) -> Iterator[tuple[str, Place]]:
    for item in etree.parse(path, _PARSER).iter(f"{{{_ZEEBE}}}property"):
        if item.get("name") == "rule":
            owner = next(itertools.islice(item.iterancestors(), 2, None))  # above properties and extensionElements
            place = Place(path.name, owner.get("id") or "", " ".join((owner.get("name") or owner.get("id") or "").split()))
            yield from ((rule, place) for rule in _ID.findall(item.get("value") or ""))


def _dmn_places(path: Path) -> Iterator[tuple[str, Place]]:
    for decision in etree.parse(path, _PARSER).iterfind("{*}decision"):
        place = Place(path.name, decision.get("id") or "", decision.get("name") or "")
        seen: set[str] = set()
        notes = [*decision.iterfind(".//{*}rule/{*}description"), *decision.iterfind(".//{*}annotationEntry/{*}text")]
        for note in notes:  # Modeler's annotation column is the rule's description
            if opening := _OPENING.match(note.text or ""):
                seen.update(_ID.findall(opening.group(1)))
        yield from ((rule, place) for rule in sorted(seen, key=_order))


def _form_places(path: Path) -> Iterator[tuple[str, Place]]:
    form = json.loads(path.read_text(encoding="utf-8"))
    for component in _components(form.get("components", ())):
        rule = (component.get("properties") or {}).get("rule")
        if rule:
            name = component.get("label") or component.get("dateLabel") or component.get("key") or component.get("id")
            place = Place(path.name, component.get("key") or component.get("id") or "", str(name))
            yield from ((found, place) for found in _ID.findall(str(rule)))


def _components(components: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for component in components:
        yield component
        yield from _components(component.get("components", ()))


def _order(rule: str) -> tuple[str, list[int]]:
    return rule[0], [int(part) for part in rule[1:].split(".")]


def readme(coverage: Coverage) -> str:
    """Return the text of a process's README.md."""
    lines = [
        f"# {coverage.folder.name}",
        "",
        "本页由 `make fix` 生成：规则 → 元素 → 场景。改规则请改模型、表单、决策表或场景文件，不要改这一页。",
        "",
        "This page is generated by `make fix`: rule → element → scenario.",
        "",
        "| 规则 | 内容 | 元素 | 场景 |",
        "|---|---|---|---|",
    ]
    for rule, text in coverage.rules.items():
        places = "<br>".join(dict.fromkeys(f"{_cell(p.name)} `{p.element_id}` ({p.file})" for p in coverage.places.get(rule, ())))
        scenarios = "<br>".join(
            dict.fromkeys(f"[{s.name}]({_link(coverage.folder, s.path)})" for s in coverage.scenarios.get(rule, ()))
        )
        lines.append(f"| {rule} | {_cell(text)} | {places} | {scenarios} |")
    if coverage.exemptions:
        lines += ["", "## 豁免", "", "没有元素或场景的规则及其理由。", ""]
        lines += [f"- **{rule}**：{reason}" for rule, reason in coverage.exemptions.items()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _link(folder: Path, path: Path) -> str:
    target = path.relative_to(folder.parent)
    return f"scenarios/{path.name}" if target.parts[0] == folder.name else f"../{target.as_posix()}"


def main(arguments: list[str]) -> int:
    """Check or write; return an exit code."""
    if len(arguments) != 2 or arguments[0] not in {"--check", "--write"}:
        print(__doc__, file=sys.stderr)  # noqa: T201
        return 2
    processes = Path(arguments[1])
    try:
        found = coverages(processes)
        faults = [fault for coverage in found for fault in coverage.faults()] + list(unknown_rules(processes))
    except (LiuzhuanError, etree.XMLSyntaxError, json.JSONDecodeError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    for coverage in found[1:]:
        page, text = coverage.folder / "README.md", readme(coverage)
        if arguments[0] == "--write":
            page.write_text(text, encoding="utf-8")
        elif not page.exists() or page.read_text(encoding="utf-8") != text:
            faults.append(f"{page}: not as generated; run `make fix`")
    for fault in faults:
        print(fault, file=sys.stderr)  # noqa: T201
    return 1 if faults and arguments[0] == "--check" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
