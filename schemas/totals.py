"""What invoices, payments and rates must keep beyond their contracts, so that all sums add up."""

from __future__ import annotations

from decimal import Decimal

from schemas.checks import (
    EXACT,
    MINOR_UNIT,
    digits,
    in_order,
    known_currency,
    not_itself,
    positive_rate,
    shown,
    terms,
    unique,
)
from schemas.codec import Rejected
from schemas.events import Invoice, Payment, Rate

_remainder = EXACT.remainder


def check_invoice(document: Invoice) -> Rejected | None:
    """Return why an invoice, a credit note or a cancellation is refused."""
    kind, net, gross = document["kind"], document["net"], document["gross"]
    currency = document["currency"]
    refused = (
        positive_rate(document)
        or known_currency(document)
        or digits("net total", net, currency)
        or digits("gross total", gross, currency)
        or terms(document["terms"])
        or _disputes(document)
    )
    if refused is not None:
        return refused
    if kind == "cancellation":
        if document["cancels"] is None:
            return Rejected("cancels", "A cancellation names the invoice that it cancels.")
        return not_itself(document, "cancels") or unique("line", document["lines"])
    if kind == "credit_note" and (net < 0 or gross < 0):
        least = min(net, gross)
        return Rejected("negative", f"A credit note's amounts are positive, one is {least:f}.")
    return (
        _instalments(document, gross) or _allocations(document) or unique("line", document["lines"])
    )


def check_payment(document: Payment) -> Rejected | None:
    """Return why a payment is refused."""
    amount = document["amount"]
    refused = (
        positive_rate(document)
        or known_currency(document)
        or digits("amount", amount, document["currency"])
    )
    if refused is not None:
        return refused
    if document["kind"] == "refund" and amount > 0:
        return Rejected("refund", f"A refund's amount is negative, this is {shown(amount)}.")
    return in_order(document, "received_on", "reversed_on") or _allocations(document)


def check_rate(document: Rate) -> Rejected | None:
    """Return why an exchange rate is refused."""
    return positive_rate(document) or known_currency(document) or known_currency(document, "base")


def _instalments(document: Invoice, gross: Decimal) -> Rejected | None:
    instalments = document["instalments"]
    if not instalments:
        return None
    currency = document["currency"]
    unit = MINOR_UNIT[currency]
    total = Decimal(0)
    for instalment in instalments:
        amount = instalment["amount"]
        if _remainder(amount, unit):
            return digits(f"instalment {instalment['number']}", amount, currency)
        total = EXACT.add(total, amount)
    if total != gross:
        return Rejected(
            "instalments",
            f"The instalments add up to {shown(total)}, the gross total is {shown(gross)}.",
        )
    return unique("instalment", instalments)


def _disputes(document: Invoice) -> Rejected | None:
    for dispute in document["disputes"]:
        refused = in_order(dispute, "since", "until")
        if refused is not None:
            return refused
    return None


def _allocations(document: Invoice | Payment) -> Rejected | None:
    for allocation in document["allocations"]:
        refused = digits("allocation", allocation["amount"], document["currency"])
        if refused is not None:
            return refused
    return None
