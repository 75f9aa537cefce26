"""Writes the oracle's figures in the JSON contract of `headrace show` and `headrace status`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.oracle.customers import Customer, cancellation_dates, customers
from tests.oracle.demand import Demand, demand
from tests.oracle.documents import Documents, read_documents
from tests.oracle.log import Record
from tests.oracle.receivables import Receivable, receivables, rounded, total_of

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a hub says: the parsed JSON of each command, None where it was not asked.

    `receivables` holds the answers of any number of as-of dates; `documents` the rows of
    `show documents TYPE` by type; `dead_letters` the rows of the dead letters.
    """

    customers: Json | None = None
    demand: Json | None = None
    receivables: tuple[Json, ...] = ()
    status: Json | None = None
    documents: Mapping[str, list[Json]] = field(default_factory=dict)
    dead_letters: list[Json] | None = None


def answers_from(records: Iterable[Record], as_of: date, base_currency: str) -> Answers:
    """Answer as a hub would that has taken in these records."""
    documents = read_documents(records)
    named = customers(documents, as_of, base_currency)
    return Answers(
        customers=show_customers(named),
        demand=show_demand(demand(documents, as_of), as_of),
        receivables=(
            show_receivables(
                receivables(documents, as_of, base_currency), named, as_of, base_currency
            ),
        ),
        status={"documents": document_counts(documents)},
        documents={kind: list(found.values()) for kind, found in documents.newest.items()},
        dead_letters=show_dead_letters(documents),
    )


def document_counts(documents: Documents) -> dict[str, dict[str, int]]:
    """Return per document type how many there are, and how many of them deleted or cancelled.

    An invoice is cancelled by its status or by a cancellation, whatever their dates.
    """
    counts = {}
    closed = cancellation_dates(documents.live("invoice"))
    for kind, found in documents.newest.items():
        cancelled = {key for key, body in found.items() if body.get("status") == "cancelled"}
        counts[kind] = {
            "count": len(found),
            "deleted": sum(1 for body in found.values() if body["deleted"]),
            "cancelled": len(cancelled | set(closed)) if kind == "invoice" else len(cancelled),
        }
    return counts


def show_customers(expected: Mapping[str, Customer]) -> Json:
    """Return the customers as `show customers --json` does."""
    rows = []
    for customer in expected.values():
        members = [key.split("|", 1) for key in customer.members]
        row: Json = {
            "id": customer.id,
            "name": customer.names[0] if customer.names else None,
            "members": [{"source": source, "id": number} for source, number in members],
            "tier": customer.tier,
            "revenue": str(customer.revenue),
        }
        for kind, count in customer.counts.items():
            row[f"{kind}s"] = count
        rows.append(row)
    return {"rows": rows}


def show_demand(expected: Mapping[tuple[str, str], Demand], as_of: date) -> Json:
    """Return demand as `show demand --json` does."""
    rows = []
    for (product, month), found in sorted(expected.items()):
        rows.append(
            {
                "product": product,
                "month": month,
                "orders": str(found.orders),
                "pipeline": str(found.pipeline),
                "total": str(found.total),
            }
        )
    return {"as_of": as_of.isoformat(), "rows": rows}


def show_receivables(
    expected: Mapping[str, Receivable],
    named: Mapping[str, Customer],
    as_of: date,
    currency: str,
) -> Json:
    """Return receivables as `show receivables --json` does."""
    rows = []
    for found, row in expected.items():
        names = named[found].names
        rows.append(
            {"id": found, "name": names[0] if names else None, **_amounts(rounded(row, currency))}
        )
    total = _amounts(rounded(total_of(expected), currency))
    return {"as_of": as_of.isoformat(), "currency": currency, "total": total, "rows": rows}


def _amounts(row: Receivable) -> Json:
    buckets = []
    for (first, last), amount in row.buckets.items():
        items = row.bucket_items[(first, last)]
        buckets.append({"from": first, "to": last, "amount": str(amount), "items": items})
    return {
        "outstanding": str(row.outstanding),
        "not_due": str(row.not_due),
        "buckets": buckets,
        "unallocated": str(row.unallocated),
        "items": row.items,
        "overdue_items": row.overdue_items,
    }


def show_dead_letters(documents: Documents) -> list[Json]:
    """Return the dead letters that the log must leave behind."""
    letters: list[Json] = []
    for bad in documents.undecodable + documents.rejected:
        topic, partition, position = bad.record.place
        if bad.record.place in documents.erased:
            continue
        letters.append(
            {
                "topic": topic,
                "partition": partition,
                "position": position,
                "code": "undecodable",
                "reason": bad.reason,
            }
        )
    for conflict in documents.conflicts:
        for _ in conflict.losers:
            letters.append(
                {
                    "document": conflict.document,
                    "place": conflict.place,
                    "code": "version_conflict",
                }
            )
    return letters
