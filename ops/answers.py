"""The JSON that ``show``, ``status`` and ``lag`` print: the contract of docs/operating.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hub.money import round_money
from ops.status import Status, instant_text
from schemas.plain import to_plain

if TYPE_CHECKING:
    from ops.lag import Backlog
    from streams.customers.reading import CustomerRow
    from streams.demand.reading import DemandRow
    from streams.receivables.reading import Report, Row

Answer = dict[str, Any]

_PARTS = ("rows", "unconverted")


def money_text(amount: Decimal, currency: str) -> str:
    """An amount with the digits of its currency, without an exponent or a negative zero."""
    rounded = round_money(amount, currency)
    return f"{rounded if rounded else abs(rounded):f}"


def decimal_text(value: Decimal) -> str:
    """A number as exact as it is, without an exponent, needless zeros or a negative zero."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def customers_answer(rows: Iterable[CustomerRow], currency: str) -> Answer:
    """``show customers --json``; ``revenue`` is in ``currency``."""
    return {
        "rows": [
            {
                "id": str(row.id),
                "name": row.name,
                "name_from": row.name_from,
                "members": [{"source": source, "id": id} for source, id in row.members],
                "tier": row.tier,
                "lifecycle": row.lifecycle,
                "revenue": money_text(row.revenue, currency),
                "currency": currency,
                "orders": row.orders,
                "shipments": row.shipments,
                "invoices": row.invoices,
                "payments": row.payments,
                "opportunities": row.opportunities,
                "first_order_on": to_plain(row.first_order_on),
                "last_order_on": to_plain(row.last_order_on),
            }
            for row in rows
        ]
    }


def demand_answer(as_of: date, rows: Iterable[DemandRow]) -> Answer:
    """``show demand --json``; quantities in the products' units."""
    return {
        "as_of": as_of.isoformat(),
        "rows": [
            {
                "product": row.product,
                "product_name": row.product_name,
                "month": f"{row.month:%Y-%m}",
                "orders": decimal_text(row.orders),
                "pipeline": decimal_text(row.pipeline),
                "total": decimal_text(row.total),
            }
            for row in rows
        ],
    }


def receivables_answer(report: Report) -> Answer:
    """``show receivables --json``; amounts that no rate converts are listed aside, if any are."""
    rounded, currency = report.rounded(), report.currency
    answer: Answer = {
        "as_of": report.as_of.isoformat(),
        "currency": currency,
        "total": _receivable(rounded.total, currency),
        "rows": [
            {"id": str(row.id), "name": row.name, **_receivable(row, currency)}
            for row in rounded.rows
        ],
    }
    if report.unconverted:
        answer["unconverted"] = [
            {
                "id": str(one.id),
                "name": one.name,
                "currency": one.currency,
                "outstanding": money_text(one.outstanding, one.currency),
            }
            for one in report.unconverted
        ]
    return answer


def with_members(answer: Answer, members: Mapping[str, Sequence[tuple[str, str]]]) -> Answer:
    """Receivables whose rows without a name say as ``members`` which records they stand for.

    ``members`` gives (source, id) of the records by the hub's id of the customer.
    """

    def known(row: Answer) -> Answer:
        if row["name"] is not None:
            return row
        records = members.get(row["id"], ())
        return {**row, "members": [{"source": source, "id": id} for source, id in records]}

    parts = {part: [known(row) for row in answer[part]] for part in _PARTS if part in answer}
    return {**answer, **parts}


def nameless_ids(answer: Answer) -> list[str]:
    """The ids of the customers in receivables that have no name."""
    rows = [row for part in _PARTS for row in answer.get(part, ())]
    return sorted({row["id"] for row in rows if row["name"] is None})


def _receivable(row: Row, currency: str) -> Answer:
    return {
        "outstanding": money_text(row.outstanding, currency),
        "not_due": money_text(row.not_due, currency),
        "buckets": [
            {
                "from": bucket.from_days,
                "to": bucket.to_days,
                "amount": money_text(bucket.amount, currency),
                "items": bucket.items,
            }
            for bucket in row.buckets
        ],
        "unallocated": money_text(row.unallocated, currency),
        "items": row.items,
        "overdue_items": row.overdue_items,
    }


def documents_answer(document: str, rows: Iterable[Mapping[str, Any]]) -> Answer:
    """``show documents TYPE --json``: whole documents, decimals as exact as they came."""
    return {"document": document, "rows": [plain(row) for row in rows]}


def plain(value: Any) -> Any:
    """A document, or a part of one, as JSON holds it."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return decimal_text(value) if isinstance(value, Decimal) else to_plain(value)


def status_answer(status: Status) -> Answer:
    """``status --json``; dead letters that were replayed or closed no longer count."""
    return {
        "documents": {
            one.document: {
                "count": one.count,
                "deleted": one.deleted,
                "cancelled": one.cancelled,
            }
            for one in status.documents
        },
        "dead_letters": status.dead_letters,
        "dead_letters_by_reason": [
            {
                "stage": one.stage,
                "code": one.code,
                "document": one.document,
                "count": one.count,
            }
            for one in status.letters
        ],
        "sources": [
            {"name": one.name, "newest": instant_text(one.newest), "silent": one.silent}
            for one in status.sources
        ],
        "streams": [
            {
                "name": one.name,
                "documents": list(one.documents),
                "behind": one.behind,
                "dead_letters": one.dead_letters,
            }
            for one in status.streams
        ],
    }


def lag_answer(
    backlog: Backlog | None, positions: Mapping[tuple[str, int], tuple[int, int | None]], depth: int
) -> Answer:
    """``lag --json``; ends are null where Kafka doesn't run (``backlog`` None)."""
    if backlog is None:
        rows = [
            _lag_row(topic, partition, position, None, slot)
            for (topic, partition), (position, slot) in sorted(positions.items())
        ]
        return {"running": False, "total": None, "outbox": depth, "rows": rows}
    rows = [
        _lag_row(lag.topic, lag.partition, lag.position, lag.end, lag.owner_slot)
        for lag in backlog.partitions
    ]
    return {"running": True, "total": backlog.records, "outbox": backlog.outbox, "rows": rows}


def _lag_row(
    topic: str, partition: int, position: int, end: int | None, slot: int | None
) -> Answer:
    return {
        "topic": topic,
        "partition": partition,
        "position": position,
        "end": end,
        "lag": None if end is None else max(0, end - position),
        "worker": slot,
    }


def letters_answer(rows: Sequence[Mapping[str, Any]]) -> Answer:
    """``dead-letters list --json``: where each stood and why it was refused."""
    shown = (
        *("id", "at", "stage", "document", "topic", "partition", "position", "place"),
        *("code", "reason", "mapping", "mapping_version", "replayed_at", "closed_at"),
    )
    return {"rows": [{name: _letter_value(row[name]) for name in shown} for row in rows]}


def letter_answer(row: Mapping[str, Any]) -> Answer:
    """``dead-letters show ID --json``: the whole letter; bytes as text, or else in hexadecimal."""
    return {
        name: _letter_value(value) for name, value in row.items() if name not in ("fingerprint",)
    }


def _letter_value(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        raw = bytes(value)
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return {"hex": raw.hex()}
        return text if text.isprintable() or text.strip().isprintable() else {"hex": raw.hex()}
    return instant_text(value) if isinstance(value, datetime) else value
