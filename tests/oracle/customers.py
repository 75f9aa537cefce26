"""The unified customer view, worked out afresh: identity, counts, revenue and tier (§3)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hub.ids import customer_uuid
from tests.oracle.dates import add_months
from tests.oracle.documents import Document, Documents
from tests.oracle.money import newest_rates, rate_to_base, round_half_up
from tests.oracle.references import Groups, cross_references, key_of

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
NAMING_DOCUMENTS = ("opportunity", "order", "shipment", "invoice", "payment")
COUNTED_DOCUMENTS = {
    "order": ("ordered_on",),
    "shipment": ("dispatched_on", "planned_on", "promised_on"),
    "invoice": ("invoiced_on",),
    "payment": ("received_on",),
}
REVENUE_MONTHS = 12
CANCELLABLE_KINDS = ("invoice",)
TIERS = ((Decimal("0.01"), "vip"), (Decimal("0.05"), "large"), (Decimal("0.20"), "medium"))


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer of the hub: a group of records and what its documents come to.

    `names` are those of its undeleted records (none for a customer that is only named by other
    documents); `counts` are its undeleted documents up to the date, by type; `revenue` is in base
    currency.
    """

    id: str
    members: tuple[str, ...]
    names: tuple[str, ...]
    counts: Mapping[str, int]
    revenue: Decimal
    tier: str | None


class Identity:
    """Which customer of the hub a record or a mere reference belongs to."""

    def __init__(self, records: Mapping[str, Document]) -> None:
        """Link undeleted customer records by cross-reference, then by equal valid tax id."""
        self.groups = Groups()
        tax_ids = {key: valid_tax_id(body["tax_id"]) for key, body in records.items()}
        for one, other in cross_references(records):
            found = set()
            for member in self.groups.members(one) | self.groups.members(other):
                found.add(tax_ids.get(member))
            if len(found - {None}) <= 1:
                self.groups.unite(one, other)
        first_with: dict[str, str] = {}
        for key in sorted(records):
            tax_id = tax_ids[key]
            if tax_id is not None:
                self.groups.unite(first_with.setdefault(tax_id, key), key)

    def customer_id(self, key: str) -> str:
        """Return the hub's id of the customer that a `source|id` belongs to."""
        return str(customer_uuid(self.groups.smallest(key)))


def valid_tax_id(text: str | None) -> str | None:
    """Return a tax id in capitals without blanks and dashes, or None where it proves nothing."""
    if text is None:
        return None
    code = "".join(mark for mark in text.upper() if mark.isalnum())
    if len(code) < 5 or len(set(code)) < 3 or not any(mark.isdigit() for mark in code):
        return None
    if len(code) == 18 and not is_social_credit_code(code):
        return None
    return code


def is_social_credit_code(code: str) -> bool:
    """Check the last character of an 18-character unified social credit code (GB 32100)."""
    if len(code) != 18 or any(mark not in USCC_ALPHABET for mark in code):
        return False
    total = sum(USCC_ALPHABET.index(mark) * 3**place for place, mark in enumerate(code[:17]))
    return USCC_ALPHABET[(31 - total % 31) % 31] == code[17]


def customers(documents: Documents, as_of: date, base_currency: str) -> dict[str, Customer]:
    """Return every customer of the hub by id."""
    records = documents.live("customer")
    identity = Identity(records)
    members: dict[str, set[str]] = {}
    for key in set(records) | named_keys(documents):
        found = members.setdefault(identity.customer_id(key), set())
        found.update(identity.groups.members(key))
    counts = {customer: dict.fromkeys(COUNTED_DOCUMENTS, 0) for customer in members}
    for kind in COUNTED_DOCUMENTS:
        for body in documents.live(kind).values():
            named = key_of(body["customer"], body["source"])
            if named is not None and business_date(kind, body) <= as_of:
                counts[identity.customer_id(named)][kind] += 1
    revenues = revenue_by_customer(documents, identity, as_of, base_currency)
    tiers = tiers_of(revenues)
    result = {}
    for customer, group in members.items():
        names = [records[key]["name"] for key in sorted(group) if key in records]
        result[customer] = Customer(
            id=customer,
            members=tuple(sorted(group)),
            names=tuple(name for name in names if name),
            counts=counts[customer],
            revenue=revenues.get(customer, Decimal(0)),
            tier=tiers.get(customer),
        )
    return result


def business_date(kind: str, body: Document) -> date:
    """Return the date from which a document counts with its customer."""
    for name in COUNTED_DOCUMENTS[kind]:
        if body[name] is not None:
            day: date = body[name]
            return day
    instant: datetime = body["occurred_at"]
    return instant.astimezone(UTC).date()


def named_keys(documents: Documents) -> set[str]:
    """Return the customers that undeleted documents name."""
    named = set()
    for kind in NAMING_DOCUMENTS:
        for body in documents.live(kind).values():
            key = key_of(body["customer"], body["source"])
            if key is not None:
                named.add(key)
    return named


def revenue_by_customer(
    documents: Documents, identity: Identity, as_of: date, base_currency: str
) -> dict[str, Decimal]:
    """Return revenue in base currency by customer id, rounded once; customers without are absent.

    Invoices less credit notes by their date in the twelve months up to `as_of`; the earliest
    cancellation of a document takes its whole net back on the cancellation's date, though not
    before the document's own.
    """
    first_day = add_months(as_of, -REVENUE_MONTHS)
    invoices = documents.live("invoice")
    rates = newest_rates(documents.live("rate"), base_currency, as_of)
    cancelled = cancellation_dates(invoices)
    totals: dict[str, Decimal] = {}
    for key, invoice in invoices.items():
        customer = key_of(invoice["customer"], invoice["source"])
        if invoice["kind"] == "cancellation" or customer is None:
            continue
        rate = rate_to_base(invoice, rates, base_currency)
        if rate is None:
            continue
        net = invoice["net"] * rate * (-1 if invoice["kind"] == "credit_note" else 1)
        found = identity.customer_id(customer)
        if first_day < invoice["invoiced_on"] <= as_of:
            totals[found] = totals.get(found, Decimal(0)) + net
        if key in cancelled and first_day < cancelled[key] <= as_of:
            totals[found] = totals.get(found, Decimal(0)) - net
    return {found: round_half_up(total, base_currency) for found, total in totals.items()}


def cancellation_dates(invoices: Mapping[str, Mapping[str, Any]]) -> dict[str, date]:
    """Return from when each cancelled invoice is closed: its earliest cancellation's date.

    Never before the invoice's own date. A cancellation of something that is unknown or no invoice
    closes nothing.
    """
    closed: dict[str, date] = {}
    for body in invoices.values():
        if body["kind"] != "cancellation":
            continue
        target = key_of(body["cancels"], body["source"])
        if target is None or target not in invoices:
            continue
        if invoices[target]["kind"] not in CANCELLABLE_KINDS:
            continue
        from_day = max(body["invoiced_on"], invoices[target]["invoiced_on"])
        if target not in closed or from_day < closed[target]:
            closed[target] = from_day
    return closed


def tiers_of(revenues: Mapping[str, Decimal]) -> dict[str, str]:
    """Return the tier of each customer with revenue above zero, by rank; ties by id."""
    ranked = sorted(
        (found for found in revenues if revenues[found] > 0),
        key=lambda found: (-revenues[found], found),
    )
    tiers = {}
    for rank, found in enumerate(ranked, start=1):
        tiers[found] = "small"
        for share, tier in TIERS:
            if rank <= math.ceil(share * len(ranked)):
                tiers[found] = tier
                break
    return tiers
