"""A node number of its own for every process, leased from the database, so that two processes never make the same key."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select

from engine.keys import NODES
from engine.store.tables import node_lease
from engine.store.transactions import Store
from engine.store.upsert import upsert

LASTS = timedelta(days=30)
"""A process that died keeps its number this long at least: while another is left, no number is leased twice."""


def lease_node(store: Store, owner: str) -> int:
    """Lease a free node number (0 to 1023)."""
    with store.begin() as tx:
        taken = {row.node: row.expires_at for row in tx.all(select(node_lease).with_for_update())}
        # A lease that ran out may be of a process that still lives: a number never leased, or given back, comes first.
        free = next((node for node in range(NODES) if node not in taken), None)
        node = min(taken, key=lambda number: taken[number]) if free is None else free
        row = {"node": node, "owner": owner, "expires_at": tx.now + LASTS}
        tx.execute(upsert(tx, node_lease, ("owner", "expires_at")), row)
    return node


def release_node(store: Store, node: int, owner: str) -> None:
    """Give a node number back."""
    with store.begin() as tx:
        tx.execute(delete(node_lease).where(node_lease.c.node == node, node_lease.c.owner == owner))
