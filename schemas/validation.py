"""What a document must keep beyond its Avro contract, so that no rule downstream meets nonsense."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import Any

from schemas.codec import Document, Rejected
from schemas.currencies import DIGITS

STAGES = frozenset({"identify", "qualify", "develop", "propose", "won", "lost"})
OUTCOMES = frozenset({"won", "lost"})
ORDER_STATUSES = frozenset({"open", "closed", "cancelled"})
SHIPMENT_STATUSES = frozenset({"planned", "dispatched", "delivered", "cancelled"})
INVOICE_KINDS = frozenset({"invoice", "credit_note", "cancellation"})
INVOICE_STATUSES = frozenset({"posted", "cancelled"})
PAYMENT_KINDS = frozenset({"receipt", "refund", "write_off"})

Check = Callable[[Document], Rejected | None]

# The default context's 28 digits are fewer than an amount may have.
_EXACT = Context(prec=100)
_remainder = _EXACT.remainder
_MINOR_UNIT = {currency: Decimal(1).scaleb(-digits) for currency, digits in DIGITS.items()}


def violations(document_type: str, document: Document) -> Rejected | None:
    """Return why ``document`` is refused, or None if it keeps the rules of DOMAIN.md section 2.

    ``document_type`` is the catalogue's name for it (``invoice``), ``document`` is as decoded.
    """
    source = document["source"]
    if not source or "|" in source:
        return Rejected("source", f"The source is {source!r}; it is not empty and without '|'.")
    if not document["id"]:
        return Rejected("id", "The id is empty; it names the document in its source.")
    if document["version"] <= 0:
        return Rejected("version", f"The version is {document['version']}; it is above 0.")
    check = _CHECKS.get(document_type)
    return check(document) if check is not None else None


def _opportunity(document: Document) -> Rejected | None:
    probability = document["probability"]
    if probability is not None and not 0 <= probability <= 1:
        return Rejected("probability", f"The probability is {probability:f}; it is from 0 to 1.")
    return (
        _closed_set("stage", document, STAGES)
        or (_closed_set("outcome", document, OUTCOMES) if document["outcome"] is not None else None)
        or _optional_currency(document, "amount")
        or _unique("line", document["lines"])
    )


def _customer(document: Document) -> Rejected | None:
    return _optional_currency(document)


def _order(document: Document) -> Rejected | None:
    return (
        _closed_set("status", document, ORDER_STATUSES)
        or _currency(document)
        or _unique("line", document["lines"])
    )


def _shipment(document: Document) -> Rejected | None:
    return _closed_set("status", document, SHIPMENT_STATUSES) or _unique("line", document["lines"])


def _invoice(document: Document) -> Rejected | None:
    kind, net, gross = document["kind"], document["net"], document["gross"]
    refused = (
        _closed_set("kind", document, INVOICE_KINDS)
        or _closed_set("status", document, INVOICE_STATUSES)
        or _currency(document)
    )
    if refused is not None:
        return refused
    unit = _MINOR_UNIT[document["currency"]]
    if _remainder(net, unit):
        return _too_fine("net total", net, document)
    if _remainder(gross, unit):
        return _too_fine("gross total", gross, document)
    if kind == "cancellation":
        if document["cancels"] is None:
            return Rejected("cancels", "A cancellation names the invoice that it cancels.")
        return _unique("line", document["lines"])
    if kind == "credit_note" and (net < 0 or gross < 0):
        least = min(net, gross)
        return Rejected("negative", f"A credit note's amounts are positive, one is {least:f}.")
    return (
        _instalments(document, gross, unit)
        or _allocations(document, unit)
        or _unique("line", document["lines"])
    )


def _instalments(document: Document, gross: Decimal, unit: Decimal) -> Rejected | None:
    instalments = document["instalments"]
    if not instalments:
        return None
    total = Decimal(0)
    for instalment in instalments:
        amount = instalment["amount"]
        if _remainder(amount, unit):
            return _too_fine(f"instalment {instalment['number']}", amount, document)
        total = _EXACT.add(total, amount)
    if total != gross:
        return Rejected(
            "instalments",
            f"The instalments add up to {_shown(total)}, the gross total is {_shown(gross)}.",
        )
    return _unique("instalment", instalments)


def _payment(document: Document) -> Rejected | None:
    refused = _closed_set("kind", document, PAYMENT_KINDS) or _currency(document)
    if refused is not None:
        return refused
    amount = document["amount"]
    unit = _MINOR_UNIT[document["currency"]]
    if _remainder(amount, unit):
        return _too_fine("amount", amount, document)
    if document["kind"] == "refund" and amount > 0:
        return Rejected("refund", f"A refund's amount is negative, this is {_shown(amount)}.")
    return _allocations(document, unit)


def _rate(document: Document) -> Rejected | None:
    return _currency(document) or _known_currency("base", document["base"])


def _allocations(document: Document, unit: Decimal) -> Rejected | None:
    for allocation in document["allocations"]:
        if _remainder(allocation["amount"], unit):
            return _too_fine("allocation", allocation["amount"], document)
    return None


def _closed_set(field: str, document: Document, allowed: frozenset[str]) -> Rejected | None:
    value = document[field]
    if value in allowed:
        return None
    return Rejected(field, f"The {field} is {value!r}, not one of {', '.join(sorted(allowed))}.")


def _currency(document: Document) -> Rejected | None:
    rate = document["rate"]
    if rate is not None and rate <= 0:
        return Rejected("rate", f"The exchange rate is {_shown(rate)}; it is above 0.")
    return _known_currency("currency", document["currency"])


def _known_currency(field: str, currency: str) -> Rejected | None:
    if currency in _MINOR_UNIT:
        return None
    return Rejected("currency", f"The {field} is {currency!r}, which is not in ISO 4217.")


def _optional_currency(document: Document, total: str | None = None) -> Rejected | None:
    currency = document["currency"]
    if currency is None:
        return None
    if (refused := _known_currency("currency", currency)) is not None:
        return refused
    amount = document[total] if total is not None else None
    if amount is not None and _remainder(amount, _MINOR_UNIT[currency]):
        return _too_fine("amount", amount, document)
    return None


def _unique(part: str, parts: list[dict[str, Any]]) -> Rejected | None:
    if len(parts) < 2:
        return None
    numbers = [each["number"] for each in parts]
    if len(set(numbers)) == len(numbers):
        return None
    twice = next(number for number in numbers if numbers.count(number) > 1)
    return Rejected(f"{part}_number", f"The {part} number {twice!r} stands more than once.")


def _too_fine(name: str, amount: Decimal, document: Document) -> Rejected:
    currency = document["currency"]
    return Rejected(
        "digits",
        f"The {name} {_shown(amount)} has more than the {DIGITS[currency]} decimals of {currency}.",
    )


def _shown(amount: Decimal) -> str:
    return f"{amount.normalize(_EXACT):f}"


_CHECKS: Mapping[str, Check] = {
    "customer": _customer,
    "opportunity": _opportunity,
    "order": _order,
    "shipment": _shipment,
    "invoice": _invoice,
    "payment": _payment,
    "rate": _rate,
}
