"""Contexts. Source: DMN 1.5, 10.3.4.11 and 10.3.2.6.

Camunda 8's: key lists of `get value` and `context put`, contexts one by one in `context merge`, the older names `put`, `put all`.
"""

from __future__ import annotations

from typing import Any

from engine.feel.environment import FeelError, Run
from engine.feel.functions import built_in
from engine.feel.operations import kind_of
from engine.feel.text import MAX_DEPTH


@built_in("get value", "m: context; key: string")
@built_in("get value", "context: context; key: string")
def get_value(run: Run, context: dict[str, Any], key: str) -> Any:
    """Return the value of an entry, or null."""
    if key not in context:
        run.warn(f"没有项 {key[:40]} (no such entry)", "get value")
    return context.get(key)


@built_in("get value", "context: context; keys: list")
def get_value_at(run: Run, context: dict[str, Any], keys: list[Any]) -> Any:
    """Return the value at a path of keys, or null."""
    value: Any = context
    for key in keys or [None]:
        if not isinstance(value, dict) or not isinstance(key, str) or key not in value:
            raise FeelError(f"没有这样的项 (no such entry): {kind_of(key) if not isinstance(key, str) else key[:40]}")
        value = value[key]
    return value


@built_in("get entries", "m: context")
@built_in("get entries", "context: context")
def get_entries(run: Run, context: dict[str, Any]) -> list[Any]:
    """Return the entries as contexts with key and value."""
    run.charge(len(context))
    return [{"key": key, "value": value} for key, value in context.items()]


@built_in("context put", "context: context; key: string; value: any")
@built_in("put", "context: context; key: string; value: any")
def context_put(run: Run, context: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Return the context with an entry set."""
    run.charge(len(context))
    return {**context, key: value}


@built_in("context put", "context: context; keys: list; value: any")
@built_in("put", "context: context; keys: list; value: any")
def context_put_at(run: Run, context: dict[str, Any], keys: list[Any], value: Any) -> dict[str, Any]:
    """Return the context with the entry at a path of keys set; contexts on the way are made."""
    if not keys or not all(isinstance(key, str) for key in keys):
        raise FeelError("键的列表应是非空的字符串列表 (keys are a list of strings, not empty)")
    if len(keys) > MAX_DEPTH:
        raise FeelError(f"嵌套超过 {MAX_DEPTH} 层 (nested too deeply)")
    root = dict(context)
    place = root
    for key in keys[:-1]:
        run.charge(len(place))
        inner = place.get(key)
        if inner is not None and not isinstance(inner, dict):
            raise FeelError(f"{key} 不是上下文 (is not a context)")
        following: dict[str, Any] = dict(inner or {})
        place[key] = following
        place = following
    place[keys[-1]] = value
    return root


@built_in("context merge", "contexts: list")
@built_in("put all", "contexts: list")
def context_merge(run: Run, contexts: list[Any]) -> dict[str, Any]:
    """Return a context with the entries of all contexts, later ones winning."""
    merged: dict[str, Any] = {}
    for context in contexts:
        if not isinstance(context, dict):
            raise FeelError("应为上下文的列表 (a list of contexts is needed)")
        run.charge(len(context))
        merged.update(context)
    return merged


@built_in("context merge", "contexts: context...")
@built_in("put all", "contexts: context...")
def context_merge_all(run: Run, *contexts: dict[str, Any]) -> dict[str, Any]:
    """Return a context with the entries of the contexts given one by one (`put all` is its older name)."""
    return context_merge(run, list(contexts))  # type: ignore[no-any-return]  # registered functions are untyped


@built_in("context", "entries: list")
def context(run: Run, entries: list[Any]) -> dict[str, Any]:
    """Return a context of entries, each a context with key and value."""
    result: dict[str, Any] = {}
    for entry in entries:
        run.charge()
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str) or "value" not in entry:
            raise FeelError("每一项应有 key 和 value (every entry needs key and value)")
        if entry["key"] in result:
            raise FeelError(f"键 {entry['key']} 出现两次 (occurs twice)")
        result[entry["key"]] = entry["value"]
    return result
