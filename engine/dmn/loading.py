"""A DMN file, and the files it imports, as a model.

Source: DMN 1.5, 6.3.3 (imports; one with an empty name is seen without a prefix).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from engine.dmn import elements as e
from engine.dmn.findings import Finding
from engine.dmn.model import Model
from engine.dmn.reader import parse, read
from engine.errors import InvalidDecisionModel

ImportResolver = Callable[[str, str | None], "bytes | Model | None"]
MAX_IMPORTS = 100  # files in all; one that is imported by two others counts twice


def load(xml: bytes | str, resolve_import: ImportResolver | None = None) -> Model:
    """Read a DMN file (1.1 to 1.5) as a model.

    An expression that cannot be read does not hinder the rest: it is a finding (`Model.check`), and null when evaluated.

    Args:
        xml: the file.
        resolve_import: for imports: from namespace and location to the other file's content, or its model, or None.
    Raises:
        InvalidDecisionModel: not well-formed, not DMN, too large, a DTD, or a cycle of requirements.
    """
    return _Loading(resolve_import).model(xml.encode() if isinstance(xml, str) else xml, ())


class ModelFiles:
    """DMN files that were deployed together and may import each other, by name."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._namespaces: dict[str, list[str]] = {}
        for name, content in files.items():
            try:
                namespace = parse(content).get("namespace", "")
            except InvalidDecisionModel:
                continue  # it is refused where it is read itself
            self._namespaces.setdefault(namespace, []).append(name)

    def load(self, name: str) -> tuple[Model, frozenset[str]]:
        """Return a file's model, and the names of the files it imports, directly or through others.

        Raises:
            InvalidDecisionModel: see `load`.
        """
        used: set[str] = set()

        def resolve(namespace: str, location: str | None) -> bytes | None:
            found = self._named(namespace, location)
            if found is None:
                return None
            used.add(found)
            return self._files[found]

        return load(self._files[name], resolve), frozenset(used)

    def _named(self, namespace: str, location: str | None) -> str | None:
        """Return the file of a namespace; of several, the one that the import's location names."""
        candidates = self._namespaces.get(namespace, [])
        if len(candidates) > 1:
            wanted = PurePosixPath(location or "").name
            candidates = [name for name in candidates if PurePosixPath(name).name == wanted]
        return candidates[0] if len(candidates) == 1 else None


class _Loading:
    def __init__(self, resolve_import: ImportResolver | None) -> None:
        self.resolve_import = resolve_import
        self.left = MAX_IMPORTS

    def model(self, xml: bytes, path: tuple[str, ...]) -> Model:
        """Return the model of a file.

        Args:
            xml: the file.
            path: namespaces of the files that import it, the outermost first.
        """
        definitions = read(xml)
        findings: list[Finding] = []
        imports: list[tuple[str, Model]] = []
        path = (*path, definitions.namespace)
        for imported in definitions.imports:
            found = self._imported(definitions, imported, path, findings)
            if found is not None:
                imports.append((imported.name, found))
        return Model(definitions, imports, findings)

    def _imported(
        self, definitions: e.Definitions, imported: e.Import, path: tuple[str, ...], findings: list[Finding]
    ) -> Model | None:
        def refuse(reason: str) -> None:
            findings.append(Finding("refused", definitions.id, imported.name, "import", reason, imported.line, None, "reference"))

        if imported.type and "/dmn/" not in imported.type.lower():
            refuse(f"只能导入 DMN 模型，不能导入 {imported.type} (only DMN models are imported)")
            return None
        if imported.namespace in path:
            around = " → ".join((*path[path.index(imported.namespace) :], imported.namespace))
            refuse(f"导入成环：{around} (models import each other in a circle)")
            return None
        if self.left <= 0:
            refuse(f"导入超过 {MAX_IMPORTS} 个文件 (too many imports)")
            return None
        self.left -= 1
        found = None if self.resolve_import is None else self.resolve_import(imported.namespace, imported.location)
        if found is None:
            refuse(f"找不到导入的模型 {imported.namespace}：请一起部署 (the imported model must be deployed with it)")
            return None
        return found if isinstance(found, Model) else self.model(found, path)
