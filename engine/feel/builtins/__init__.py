"""The built-in functions. Importing this package registers them all (`functions.BUILT_IN`)."""

from __future__ import annotations

from engine.feel.builtins import contexts, conversions, lists, numeric, organisation, ranges, strings, temporals

__all__ = ["contexts", "conversions", "lists", "numeric", "organisation", "ranges", "strings", "temporals"]
