"""Requirements that lead back to where they started.

Source: DMN 1.5, 6.2 and 6.3 (a decision must not require itself, directly or through others). A business knowledge model
may call itself: functions may be recursive. Two that require each other may not, and neither may a decision and a service
that decides it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.dmn import elements as e
from engine.errors import InvalidDecisionModel


def refuse_cycles(sources: Mapping[str, e.DrgElement], namespace: str) -> None:
    """Refuse a graph with a cycle of requirements.

    Args:
        sources: a model's elements by id.
        namespace: of the model; what hrefs say of other models leads out of it.
    Raises:
        InvalidDecisionModel: there is a cycle; it names the elements on it.
    """
    done: set[str] = set()
    for start in sources:
        path: dict[str, Iterator[str]] = {start: _required(sources[start], namespace)} if start not in done else {}
        while path:
            place = next(reversed(path))
            following = next(path[place], None)
            if following is None:
                done.add(place)
                del path[place]
            elif following in path:
                if following != place or not isinstance(sources[place], e.KnowledgeModel):
                    raise _cycle([sources[name] for name in [*path][[*path].index(following) :]])
            elif following in sources and following not in done:
                path[following] = _required(sources[following], namespace)


def _cycle(elements: list[e.DrgElement]) -> InvalidDecisionModel:
    first = elements[0]
    names = " → ".join(f"“{element.name}”" for element in [*elements, first])
    return InvalidDecisionModel(
        f"需求成环：{names}，请删去其中一条需求连线 (a cycle of requirements)",
        element_id=first.id,
        element_name=first.name,
        line=first.line,
    )


def _required(element: e.DrgElement, namespace: str) -> Iterator[str]:
    hrefs: tuple[str, ...] = ()
    if isinstance(element, (e.Decision, e.KnowledgeModel)):
        hrefs = element.requires
    elif isinstance(element, e.DecisionService):  # what it is given it does not decide
        hrefs = (*element.outputs, *element.encapsulated)
    for href in hrefs:
        place, _, identifier = href.rpartition("#")
        if place in ("", namespace):
            yield identifier
