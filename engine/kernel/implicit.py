"""What a multi-instance throws by itself when an inner instance completes (`behavior` None, One and Complex).

It is thrown from the multi-instance's body: the boundary events on the activity catch it, or the scopes around it; signals reach
everybody who waits for them.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.definitions.model import Implicit
from engine.kernel import advance as a
from engine.kernel import propagation
from engine.kernel.spiff import CoreTask
from engine.kernel.variables import View

Thrown = tuple[str, str]  # kind, name or code


def due(body: CoreTask, events: Sequence[Implicit], view: View) -> list[Thrown]:
    """Return what is to be thrown now that an inner instance completes; nothing is changed.

    Raises:
        Trouble: a condition, name or code failed, or nobody would catch an error.
    """
    evaluation = body.tree.evaluation
    found: list[Thrown] = []
    for implicit in events:
        if implicit.when == "first" and body.memo["done"] > 0:
            continue
        if implicit.condition is not None and not evaluation.boolean(implicit.condition, view):
            continue
        term = implicit.event.name or implicit.event.code
        assert term is not None
        name = evaluation.text(term, view)
        if implicit.event.kind == "error":
            propagation.check_caught(body, name)
        found.append((implicit.event.kind, name))
    return found


def throw(body: CoreTask, thrown: Sequence[Thrown]) -> bool:
    """Throw events; False when one of them ended the multi-instance."""
    tree = body.tree
    for kind, name in thrown:
        if body.key not in tree.tasks:
            return False
        if kind == "error":
            propagation.throw(body, name, "", {})
        elif kind == "escalation":
            propagation.escalate(body, name, {})
        else:
            tree.emit(a.SignalThrown(body.spec.element.id, name, {}))
            tree.hear(name, {})
    return body.key in tree.tasks
