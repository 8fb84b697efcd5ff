"""Camunda Forms: read them, and validate submissions on the server.

form = forms.read(content, "ethics.form")          # form.ok, form.findings
kept = forms.validate(form, data, variables, files=uploads, environment=environment)
"""

from __future__ import annotations

from engine.forms.model import Component, Finding, Form
from engine.forms.patterns import ForbiddenPattern, forbidden_patterns
from engine.forms.reading import read
from engine.forms.submission import validate
from engine.forms.validating import File

__all__ = ["Component", "File", "Finding", "ForbiddenPattern", "Form", "forbidden_patterns", "read", "validate"]
