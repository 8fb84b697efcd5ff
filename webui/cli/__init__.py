"""`liuzhuan`: the commands of operators, modellers and auditors.

Exit codes: 0 done; 1 refused, or a check found something; 2 the command line is wrong; 3 not found; 4 somebody was faster;
5 not allowed.
"""

from __future__ import annotations

from webui.cli.main import main

__all__ = ["main"]
