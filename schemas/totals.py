"""What invoices, payments and rates must keep beyond their contracts, so that all sums add up."""

from __future__ import annotations

from decimal import Decimal

from schemas.checks import EXACT, MINOR_UNIT, digits, known_currency, positive_rate, shown, unique
from schemas.codec import Document, Rejected

_remainder = EXACT.remainder


def check_invoice(document: Document) -> Rejected | None:
    """Return why an invoice, a credit note or a cancellation is refused."""
    kind, net, gross = document["kind"], document["net"], document["gross"]
    currency = document["currency"]
    refused = (
        positive_rate(document)
        or known_currency(document)
        or digits("net total", net, currency)
        or digits("gross total", gross, currency)
    )
    if refused is not None:
        return refused
    if kind == "cancellation":
        if document["cancels"] is None:
            return Rejected("cancels", "A cancellation names the invoice that it cancels.")
        return unique("line", document["lines"])
    if kind == "credit_note" and (net < 0 or gross < 0):
        least = min(net, gross)
        return Rejected("negative", f"A credit note's amounts are positive, one is {least:f}.")
    return (
        _instalments(document, gross) or _allocations(document) or unique("line", document["lines"])
    )


def check_payment(document: Document) -> Rejected | None:
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
    return _allocations(document)


def check_rate(document: Document) -> Rejected | None:
    """Return why an exchange rate is refused."""
    return positive_rate(document) or known_currency(document) or known_currency(document, "base")


def _instalments(document: Document, gross: Decimal) -> Rejected | None:
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


def _allocations(document: Document) -> Rejected | None:
    for allocation in document["allocations"]:
        refused = digits("allocation", allocation["amount"], document["currency"])
        if refused is not None:
            return refused
    return None
