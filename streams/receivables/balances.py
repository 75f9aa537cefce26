"""Balances per customer and currency: they move with the rows whose sums they are.

Whatever changes an open item or a receipt says by how much in `MOVES`, in the same statement; the
moves of a transaction are added up at its end, in one order, so two workers never wait for each
other in a ring.
"""

from __future__ import annotations

from typing import Any

import psycopg

from sinks.staging import staging

#: Filled by statements of the other tables of receivables; differences, in ``currency``.
MOVES = staging(
    "moves",
    "customer_key text, currency text, open_amount numeric, unallocated numeric, items int4",
    gathers=True,
)


def collect(connection: psycopg.Connection[Any]) -> None:
    """Add the moves of this transaction to the balances.

    A customer whose moves cancel each other out has a balance of nothing, in however many
    transactions they came.
    """
    connection.execute(
        """
        INSERT INTO receivable_balances AS balance
            (customer_key, currency, open_amount, unallocated, items)
        SELECT customer_key, currency, sum(open_amount), sum(unallocated), sum(items)
        FROM stage_moves WHERE open_amount <> 0 OR unallocated <> 0 OR items <> 0
        GROUP BY customer_key, currency
        ORDER BY customer_key, currency
        ON CONFLICT (customer_key, currency) DO UPDATE
        SET open_amount = balance.open_amount + excluded.open_amount,
            unallocated = balance.unallocated + excluded.unallocated,
            items = balance.items + excluded.items
        """
    )
