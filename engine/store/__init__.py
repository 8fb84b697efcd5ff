"""The database: tables, the one transaction, migrations."""

from __future__ import annotations

from engine.store.transactions import Reading, Store, Transaction

__all__ = ["Reading", "Store", "Transaction"]
