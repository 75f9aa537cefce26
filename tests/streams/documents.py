"""Documents as the rules get them, and hypothesis strategies for what they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from streams.receivables.rules import Allocation, Cancellation, Instalment, Invoice

FIRST_DAY = date(2026, 1, 1)

Body = dict[str, Any]


def day(text: str) -> date:
    """Return the date of ``2026-09-30``."""
    return date.fromisoformat(text)


def reference(key: str) -> Mapping[str, str]:
    """Return the reference to ``source|id``."""
    source, _, id = key.partition("|")
    return {"source": source, "id": id}


def bill(
    gross: str = "100",
    invoiced_on: str = "2026-07-01",
    instalments: Sequence[tuple[str, str]] = (),
    **more: Any,
) -> Body:
    """An invoice document; instalments are (due on, amount)."""
    return {
        "customer": reference("erp|C"),
        "kind": "invoice",
        "currency": "CNY",
        "rate": None,
        "invoiced_on": day(invoiced_on),
        "gross": Decimal(gross),
        "terms": None,
        "instalments": [
            {"number": number, "due_on": day(due_on), "amount": Decimal(amount)}
            for number, (due_on, amount) in enumerate(instalments, 1)
        ],
        "allocations": [],
        **more,
    }


def receipt(amount: str, *allocations: Body, **more: Any) -> Body:
    """A payment document received on 2026-08-01."""
    return {
        "customer": reference("erp|C"),
        "kind": "receipt",
        "currency": "CNY",
        "rate": None,
        "amount": Decimal(amount),
        "received_on": day("2026-08-01"),
        "reversed_on": None,
        "allocations": list(allocations),
        **more,
    }


def share(
    amount: str, invoice: str = "erp|1", instalment: int | None = None, on: str | None = None
) -> Body:
    """An allocation of a payment or credit note."""
    return {
        "invoice": reference(invoice),
        "instalment": instalment,
        "amount": Decimal(amount),
        "allocated_on": day(on) if on else None,
    }


amounts = st.integers(min_value=0, max_value=500).map(lambda cents: Decimal(cents) / 100)
days = st.integers(min_value=0, max_value=40).map(lambda number: FIRST_DAY + timedelta(number))


@st.composite
def invoices(draw: st.DrawFn) -> Invoice:
    """An invoice of one to four instalments, in the order in which they are settled."""
    parts = draw(st.lists(st.tuples(days, amounts), min_size=1, max_size=4))
    numbered = [Instalment(number, due, amount) for number, (due, amount) in enumerate(parts, 1)]
    instalments = tuple(sorted(numbered, key=lambda part: (part.due_on, part.number)))
    gross = sum((part.amount for part in instalments), Decimal(0))
    return Invoice("erp|1", "erp|C", "CNY", None, draw(days), gross, instalments)


@st.composite
def allocations(draw: st.DrawFn) -> list[Allocation]:
    """Up to six allocations to the invoice, of payments and of a credit note."""
    found = []
    for number in range(draw(st.integers(min_value=0, max_value=6))):
        document = draw(st.sampled_from(["payment", "credit_note"]))
        found.append(
            Allocation(
                document,
                draw(st.sampled_from(["erp|7", "erp|8"])),
                number,
                "erp|1",
                draw(st.sampled_from([None, None, 1, 2, 9])),
                draw(amounts),
                draw(days),
                draw(st.none() | days) if document == "payment" else None,
            )
        )
    return found


@st.composite
def cancellations(draw: st.DrawFn) -> list[Cancellation]:
    """No, one or two cancellations of the invoice."""
    dates = draw(st.lists(days, max_size=2)) if draw(st.booleans()) else []
    return [Cancellation(f"erp|c{number}", "erp|1", on) for number, on in enumerate(dates)]
