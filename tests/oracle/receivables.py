"""Outstanding and ageing per customer, worked out afresh at a date (DOMAIN.md §5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from tests.oracle.customers import Identity, cancellation_dates
from tests.oracle.dates import due_on
from tests.oracle.documents import Document, Documents
from tests.oracle.money import newest_rates, rate_to_base, round_half_up
from tests.oracle.references import key_of

BUCKETS = ((1, 30), (31, 60), (61, 90), (91, 120), (121, None))


@dataclass(slots=True)
class OpenItem:
    """One instalment of one invoice, with what of it is still open in its own currency."""

    invoice: str
    customer: str
    number: int
    due_on: date
    open: Decimal
    rate: Decimal | None


@dataclass(slots=True)
class Credit:
    """A payment or credit note, with what of it has not yet been allocated, in its currency."""

    document: str
    customer: str
    dated_on: date
    left: Decimal
    rate: Decimal | None


@dataclass(slots=True)
class Claim:
    """What a credit is to be allocated to; `day` is the later of its own and the credit's date."""

    credit: str
    place: int
    invoice: str
    instalment: int | None
    amount: Decimal
    day: date


@dataclass(slots=True)
class Receivable:
    """Amounts in base currency; `buckets` by (first day, last day or None)."""

    not_due: Decimal = Decimal(0)
    buckets: dict[tuple[int, int | None], Decimal] = field(
        default_factory=lambda: dict.fromkeys(BUCKETS, Decimal(0))
    )
    bucket_items: dict[tuple[int, int | None], int] = field(
        default_factory=lambda: dict.fromkeys(BUCKETS, 0)
    )
    unallocated: Decimal = Decimal(0)
    items: int = 0
    overdue_items: int = 0

    @property
    def outstanding(self) -> Decimal:
        """The sum of all columns."""
        return self.not_due + sum(self.buckets.values(), Decimal(0)) + self.unallocated


def receivables(documents: Documents, as_of: date, base_currency: str) -> dict[str, Receivable]:
    """Return the receivables of each customer id that has an open item or an unallocated amount.

    Amounts are exact; `rounded` makes of a row, or of their total, what is shown.
    """
    identity = Identity(documents.live("customer"))
    items, credits = settle(documents, as_of, base_currency)
    rows: dict[str, Receivable] = {}
    for item in items:
        if item.open == 0 or item.rate is None:
            continue
        row = rows.setdefault(identity.customer_id(item.customer), Receivable())
        amount = item.open * item.rate
        age = (as_of - item.due_on).days
        row.items += 1
        if age <= 0:
            row.not_due += amount
            continue
        row.overdue_items += 1
        for first, last in BUCKETS:
            if age >= first and (last is None or age <= last):
                row.buckets[(first, last)] += amount
                row.bucket_items[(first, last)] += 1
    for credit in credits:
        if credit.left == 0 or credit.rate is None:
            continue
        row = rows.setdefault(identity.customer_id(credit.customer), Receivable())
        row.unallocated -= credit.left * credit.rate
    return rows


def rounded(row: Receivable, currency: str) -> Receivable:
    """Round each column once, at the end; outstanding becomes the sum of the rounded columns."""
    return replace(
        row,
        not_due=round_half_up(row.not_due, currency),
        buckets={limits: round_half_up(sum_, currency) for limits, sum_ in row.buckets.items()},
        unallocated=round_half_up(row.unallocated, currency),
    )


def total_of(rows: Mapping[str, Receivable]) -> Receivable:
    """Return the exact sum of all rows."""
    total = Receivable()
    for row in rows.values():
        total.not_due += row.not_due
        total.unallocated += row.unallocated
        total.items += row.items
        total.overdue_items += row.overdue_items
        for limits in BUCKETS:
            total.buckets[limits] += row.buckets[limits]
            total.bucket_items[limits] += row.bucket_items[limits]
    return total


def settle(
    documents: Documents, as_of: date, base_currency: str
) -> tuple[list[OpenItem], list[Credit]]:
    """Return the items and the credits that count at a date, after every allocation."""
    invoices = documents.live("invoice")
    rates = newest_rates(documents.live("rate"), base_currency, as_of)
    closed = cancellation_dates(invoices)
    items: dict[str, list[OpenItem]] = {}
    dates: dict[str, date] = {}
    credits: dict[str, Credit] = {}
    claims: list[Claim] = []

    for key, invoice in invoices.items():
        customer = key_of(invoice["customer"], invoice["source"])
        if invoice["kind"] == "cancellation" or customer is None:
            continue
        if invoice["invoiced_on"] > as_of or (key in closed and closed[key] <= as_of):
            continue
        rate = rate_to_base(invoice, rates, base_currency)
        if invoice["kind"] == "credit_note":
            name = f"invoice {key}"
            credits[name] = Credit(key, customer, invoice["invoiced_on"], invoice["gross"], rate)
            claims.extend(claims_of(name, credits[name], invoice))
            continue
        dates[key] = invoice["invoiced_on"]
        items[key] = [
            OpenItem(key, customer, number, day, amount, rate)
            for day, number, amount in sorted(instalments_of(invoice))
        ]

    for key, payment in documents.live("payment").items():
        customer = key_of(payment["customer"], payment["source"])
        reversed_on = payment["reversed_on"]
        if customer is None or payment["received_on"] > as_of:
            continue
        if reversed_on is not None and reversed_on <= as_of:
            continue
        rate = rate_to_base(payment, rates, base_currency)
        name = f"payment {key}"
        credits[name] = Credit(key, customer, payment["received_on"], payment["amount"], rate)
        claims.extend(claims_of(name, credits[name], payment))

    ordered = []
    for claim in claims:
        if claim.invoice in items:
            day = max(claim.day, dates[claim.invoice])
            if day <= as_of:
                by_invoice = claim.instalment is None
                ordered.append(
                    (by_invoice, day, credits[claim.credit].document, claim.place, claim)
                )
    ordered.sort(key=lambda entry: entry[:4])

    for *_, claim in ordered:
        left = claim.amount
        for item in items[claim.invoice]:
            if claim.instalment not in (None, item.number):
                continue
            applied = min(left, item.open)
            if applied > 0:
                left -= applied
                item.open -= applied
                credits[claim.credit].left -= applied
    return [item for group in items.values() for item in group], list(credits.values())


def claims_of(name: str, credit: Credit, body: Document) -> list[Claim]:
    """Return a document's allocations, cut to what the document brings.

    In the order of the rules: those that name an instalment first, then by date, then as listed.
    """
    claims = []
    for place, allocation in enumerate(body["allocations"]):
        day = max(credit.dated_on, allocation["allocated_on"] or credit.dated_on)
        target = key_of(allocation["invoice"], body["source"]) or ""
        instalment = allocation["instalment"]
        claims.append(Claim(name, place, target, instalment, allocation["amount"], day))
    claims.sort(key=lambda claim: (claim.instalment is None, claim.day, claim.place))
    left = credit.left
    for claim in claims:
        claim.amount = max(Decimal(0), min(claim.amount, left))
        left -= claim.amount
    return claims


def instalments_of(invoice: Document) -> list[tuple[date, int, Decimal]]:
    """Return (due date, number, amount); an invoice that names none has one for its gross."""
    if invoice["instalments"]:
        return [(part["due_on"], part["number"], part["amount"]) for part in invoice["instalments"]]
    return [(due_on(invoice["invoiced_on"], invoice["terms"]), 1, invoice["gross"])]
