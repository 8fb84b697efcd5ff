"""Builds small DMN files for tests."""

from __future__ import annotations

from html import escape

HEAD = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="model" name="model" namespace="urn:test">'


def definitions(*parts: str) -> bytes:
    """Return a file of parts."""
    return (HEAD + "".join(parts) + "</definitions>").encode()


def literal(text: str, attributes: str = "") -> str:
    """Return a literal expression."""
    return f"<literalExpression {attributes}><text>{escape(text)}</text></literalExpression>"


def decision(name: str, expression: str, requires: str = "", type_ref: str = "") -> str:
    """Return a decision with an id that is its name (blanks as underscores), and hrefs of kind:id."""
    return (
        f'<decision id="{name.replace(" ", "_")}" name="{name}"><variable name="{name}" {_typed(type_ref)}/>'
        f"{requirements(requires)}{expression}</decision>"
    )


def requirements(requires: str) -> str:
    """Return requirements: `input:a decision:b knowledge:c`."""
    parts = []
    for reference in requires.split():
        kind, identifier = reference.split(":")
        outer = "knowledgeRequirement" if kind == "knowledge" else "informationRequirement"
        parts.append(f'<{outer}><required{kind.capitalize()} href="#{identifier}"/></{outer}>')
    return "".join(parts)


def input_data(name: str, type_ref: str = "") -> str:
    """Return input data."""
    return f'<inputData id="{name.replace(" ", "_")}" name="{name}"><variable name="{name}" {_typed(type_ref)}/></inputData>'


def table(
    policy: str,
    inputs: dict[str, str],
    outputs: dict[str, str],
    rules: list[str],
    aggregation: str = "",
    defaults: dict[str, str] | None = None,
    allowed: dict[str, str] | None = None,
) -> str:
    """Return a table.

    Args:
        policy: its hit policy.
        inputs: type by expression.
        outputs: type by name.
        rules: cells separated by `;`, outputs after `->`, an annotation after `#`.
        aggregation: of COLLECT.
        defaults: default output by name.
        allowed: allowed values by input expression or output name.
    """
    allowed = allowed or {}
    parts = [f'<decisionTable id="table" hitPolicy="{policy}"' + (f' aggregation="{aggregation}"' if aggregation else "") + ">"]
    for expression, kind in inputs.items():
        values = f"<inputValues><text>{escape(allowed[expression])}</text></inputValues>" if expression in allowed else ""
        text = f"<inputExpression {_typed(kind)}><text>{escape(expression)}</text></inputExpression>"
        parts.append(f"<input>{text}{values}</input>")
    for name, kind in outputs.items():
        values = f"<outputValues><text>{escape(allowed[name])}</text></outputValues>" if name in allowed else ""
        if defaults and name in defaults:
            values += f"<defaultOutputEntry><text>{escape(defaults[name])}</text></defaultOutputEntry>"
        parts.append(f'<output name="{name}" {_typed(kind)}>{values}</output>')
    for index, rule in enumerate(rules, 1):
        body, _, note = rule.partition("#")
        tests, _, results = body.partition("->")
        parts.append(f'<rule id="rule{index}">' + (f"<description>{escape(note.strip())}</description>" if note else ""))
        parts += [f"<inputEntry><text>{escape(cell.strip())}</text></inputEntry>" for cell in tests.split(";")]
        parts += [f"<outputEntry><text>{escape(cell.strip())}</text></outputEntry>" for cell in results.split(";")]
        parts.append("</rule>")
    return "".join(parts) + "</decisionTable>"


def _typed(type_ref: str) -> str:
    return f'typeRef="{type_ref}"' if type_ref else ""
