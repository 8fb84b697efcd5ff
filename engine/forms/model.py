"""A Camunda Form, read: components with their expressions compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.feel import Expression

Setting = Expression | bool | int | str | None
"""A setting of a component: a constant, or FEEL over the form's data."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the engine does with one component or one of its attributes; the deployment report's own shape.

    Attributes:
        verdict: executed | kept | refused | warning.
        resource: name of the file.
        element_id, element_name, element_type: the component's id, label and type.
        attribute: the attribute, or None for the component itself.
        reason: why, in Chinese and English; empty where the verdict says it all.
        line: always 0; JSON is read without line numbers.
    """

    verdict: Literal["executed", "kept", "refused", "warning"]
    resource: str
    element_id: str = ""
    element_name: str = ""
    element_type: str = ""
    attribute: str | None = None
    reason: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """A condition over the whole form that must not be false (`properties.check`)."""

    expression: Expression
    message: str
    message_en: str


@dataclass(frozen=True, slots=True)
class Options:
    """Where a choice's options come from; exactly one is set.

    Attributes:
        values: the static options' values.
        key: name of the variable that holds the options.
        expression: FEEL that gives the options.
    """

    values: tuple[Any, ...] | None = None
    key: str | None = None
    expression: Expression | None = None


@dataclass(frozen=True, slots=True)
class Component:
    """One component of a form.

    Attributes:
        path: where its value stands in the enclosing scope (form or list row): `("a", "b")` for the key `a.b` within groups'
            paths; empty for what holds no value.
        label, label_en: as the person sees it.
        rule: ids of the rules it carries, as written.
        hide: FEEL; true = the component and all in it is neither validated nor kept.
        readonly: the person cannot change it: the server's value stays.
        disabled: as readonly, and never anything else.
        required, minimum, maximum, min_length, max_length: the validation's settings.
        pattern: the regular expression (RE2) that the text must contain.
        components: children of a group or a dynamic list.
        attributes: the component's JSON.
    """

    type: str
    id: str
    path: tuple[str, ...] = ()
    label: str = ""
    label_en: str = ""
    rule: str | None = None
    hide: Expression | None = None
    readonly: Setting = False
    disabled: bool = False
    required: Setting = False
    minimum: Setting = None
    maximum: Setting = None
    min_length: Setting = None
    max_length: Setting = None
    pattern: str | None = None
    check: Check | None = None
    expression: Expression | None = None
    options: Options | None = None
    accept: Setting = None
    multiple: Setting = False
    components: tuple[Component, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def free_text(self) -> bool:
        """Whether people write what they like: forbidden patterns are looked for (`properties.freeText` says otherwise)."""
        said = _properties(self.attributes).get("freeText")
        return self.type in {"textfield", "textarea"} if said is None else str(said).lower() == "true"

    def walk(self) -> Iterator[Component]:
        """Yield the component and all in it."""
        yield self
        for component in self.components:
            yield from component.walk()


@dataclass(frozen=True, slots=True)
class Form:
    """A form as deployed.

    Attributes:
        id: the form's id, which user tasks name.
        hash: SHA-256 of the file's bytes, in hexadecimal.
        schema: the file's JSON, for the browser.
        findings: what is executed, kept and refused.
    """

    id: str
    hash: str
    resource: str
    schema: Mapping[str, Any]
    components: tuple[Component, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing in it is refused."""
        return not any(finding.verdict == "refused" for finding in self.findings)

    def walk(self) -> Iterator[Component]:
        """Yield every component, in the order of the form."""
        for component in self.components:
            yield from component.walk()

    def labels(self, lang: str = "zh") -> dict[str, str]:
        """Return the labels of the fields by variable name or path, for showing data outside the form."""
        english = lang.startswith("en")
        named = (item for item in self.walk() if item.path and item.type != "group")
        return {".".join(item.path): (item.label_en if english and item.label_en else item.label) for item in named}


def _properties(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    found = attributes.get("properties")
    return found if isinstance(found, Mapping) else {}
