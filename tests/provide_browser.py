"""Finds or fetches what the browser tests need: Chromium and a font with Chinese characters.

Looked for in this order: LIUZHUAN_CHROMIUM, the machine's own, apt (as root), Playwright's own download.
Prints one line saying how to get what could not be had, and exits with 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """Return the path of a Chromium that is here, or None."""
    named = os.environ.get("LIUZHUAN_CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    return next((path for name in NAMES if (path := shutil.which(name))), None) or _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _apt(*packages: str) -> bool:
    if not shutil.which("apt-get") or os.name != "posix" or os.geteuid() != 0:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]):
        if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode != 0:
            return False
    return True


def _chinese_font() -> bool:
    listing = shutil.which("fc-list")
    return bool(listing and subprocess.run([listing, ":lang=zh"], capture_output=True, check=False).stdout.strip())


def main() -> int:
    """Provide both; return an exit code."""
    if chromium() is None and not _apt("chromium"):
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if chromium() is None:
        print("No Chromium: install it (Debian: apt install chromium) or set LIUZHUAN_CHROMIUM to its path.", file=sys.stderr)
        return 1
    if not _chinese_font() and not (_apt("fonts-noto-cjk", "fontconfig") and _chinese_font()):
        print("No font with Chinese characters: screenshots show boxes (Debian: apt install fonts-noto-cjk).", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
