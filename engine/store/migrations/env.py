"""Alembic's environment: migrates the connection it is handed (`engine.store.migration`), or writes SQL for a URL."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from engine.store.tables import metadata
from engine.store.types import ExactJson, Moment, Sha256

_NAMES: dict[type[Any], str] = {Moment: "sa.BigInteger()", ExactJson: "sa.Text()", Sha256: "sa.LargeBinary()"}


def render_item(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Write our types into migrations as what the database stores: a migration must not change when our code does."""
    return _NAMES.get(type(item), False) if kind == "type" else False


def compare_type(_: Any, __: Any, ___: Any, inspected: Any, declared: Any) -> bool | None:
    """Compare our own types as what the database stores."""
    if isinstance(declared, Moment | ExactJson | Sha256):
        return not isinstance(inspected, type(declared.impl_instance))
    return None


def include_object(item: Any, _: Any, kind: str, *__: Any) -> bool:
    """Leave out an index that is meant for the other kind of database, and the full-text index, which is no plain table."""
    if kind == "table":
        return not item.name.startswith("case_search")
    return kind != "index" or item.info.get("only") in {None, context.get_context().dialect.name}


options: dict[str, Any] = {
    "target_metadata": metadata,
    "render_item": render_item,
    "compare_type": compare_type,
    "include_object": include_object,
    "render_as_batch": True,
    "transaction_per_migration": False,
}
connection = context.config.attributes.get("connection")
if connection is None:
    context.configure(url=context.config.get_main_option("sqlalchemy.url"), literal_binds=True, **options)
    with context.begin_transaction():
        context.run_migrations()
else:
    context.configure(connection=connection, **options)
    context.run_migrations()
