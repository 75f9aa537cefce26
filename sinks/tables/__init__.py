"""Every table of the hub, as SQLAlchemy metadata: what stands in the database is said here."""

from __future__ import annotations

from sinks.tables.columns import metadata
from sinks.tables.connectors import (
    backfilled_contents,
    source_cursors,
    source_recent,
    source_row_links,
    source_rows,
    source_versions,
    source_waiting,
)
from sinks.tables.customers import (
    customer_links,
    customer_members,
    customer_records,
    source_ranks,
)
from sinks.tables.demand import demand_lines, product_records, stage_chances
from sinks.tables.door import api_tokens, idempotency_keys
from sinks.tables.facts import FACT_DOCUMENTS, fact_table
from sinks.tables.ledger import (
    dead_letters,
    outbox,
    published_views,
    source_freshness,
    stream_offsets,
)
from sinks.tables.receivables import (
    receivable_allocations,
    receivable_balances,
    receivable_cancellations,
    receivable_invoices,
    receivable_receipts,
)
from sinks.tables.registry import registry_schemas, registry_settings, registry_versions

__all__ = [
    "FACT_DOCUMENTS",
    "api_tokens",
    "backfilled_contents",
    "customer_links",
    "customer_members",
    "customer_records",
    "dead_letters",
    "demand_lines",
    "fact_table",
    "idempotency_keys",
    "metadata",
    "outbox",
    "product_records",
    "published_views",
    "receivable_allocations",
    "receivable_balances",
    "receivable_cancellations",
    "receivable_invoices",
    "receivable_receipts",
    "registry_schemas",
    "registry_settings",
    "registry_versions",
    "source_cursors",
    "source_freshness",
    "source_ranks",
    "source_recent",
    "source_row_links",
    "source_rows",
    "source_versions",
    "source_waiting",
    "stage_chances",
    "stream_offsets",
]
