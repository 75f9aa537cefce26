"""What the streams keep in the database, to be compared; and what must add up in it."""

from __future__ import annotations

from tests.streams.ledger import Ledger, Row

_KEPT = {
    "documents": "SELECT * FROM customer_documents ORDER BY document, key",
    "records": "SELECT * FROM customer_records ORDER BY key",
    "members": """
        SELECT key, hub_id FROM customer_members WHERE hub_id IN (
            SELECT hub_id FROM customer_members WHERE key IN (
                SELECT key FROM customer_records UNION SELECT customer_key
                FROM customer_documents)) ORDER BY key""",
    "links": """
        SELECT left_key, right_key, rule, evidence, refused FROM customer_links
        ORDER BY left_key, right_key, rule""",
    "products": "SELECT * FROM product_records ORDER BY key",
    "lines": "SELECT * FROM demand_lines ORDER BY document, key, number",
    "invoices": "SELECT * FROM receivable_invoices WHERE gross IS NOT NULL ORDER BY key",
    "cancellations": "SELECT * FROM receivable_cancellations ORDER BY key",
    "receipts": """
        SELECT document, key, customer_key, currency, rate, amount, received_on, reversed_on,
            unallocated FROM receivable_receipts ORDER BY document, key""",
    "allocations": "SELECT * FROM receivable_allocations ORDER BY document, key, number",
    "balances": """
        SELECT * FROM receivable_balances
        WHERE open_amount <> 0 OR unallocated <> 0 OR items <> 0
        ORDER BY customer_key, currency""",
}


def kept(ledger: Ledger) -> dict[str, list[Row]]:
    """Return what the streams keep, without what only says when or by which way it came."""
    return {name: ledger.rows(query) for name, query in _KEPT.items()}


def assert_balances_are_the_sums(ledger: Ledger) -> None:
    """Fail unless balances are the sums of items and receipts, and those of their allocations."""
    sums = ledger.rows(
        """
        SELECT customer_key, currency, sum(open_amount), sum(unallocated), sum(items) FROM (
            SELECT customer_key, currency, part AS open_amount, 0 AS unallocated, 1 AS items
            FROM receivable_invoices, unnest(open_amounts) AS part WHERE part <> 0
            UNION ALL
            SELECT customer_key, currency, 0, unallocated, 0 FROM receivable_receipts
        ) AS one GROUP BY customer_key, currency
        HAVING sum(open_amount) <> 0 OR sum(unallocated) <> 0 OR sum(items) <> 0
        ORDER BY customer_key, currency
        """
    )
    assert ledger.rows(_KEPT["balances"]) == sums
    assert not ledger.rows(
        """
        SELECT receipt.document, receipt.key FROM receivable_receipts AS receipt
        LEFT JOIN receivable_allocations AS one USING (document, key)
        GROUP BY receipt.document, receipt.key
        HAVING receipt.unallocated <> CASE WHEN receipt.reversed_on IS NOT NULL THEN 0
            ELSE coalesce(sum(one.applied), 0) - receipt.amount END
        """
    )
