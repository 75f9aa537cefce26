"""What a document must keep beyond its Avro contract, so that no rule downstream meets nonsense."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from schemas.catalogue import DOCUMENTS
from schemas.checks import (
    digits,
    known_currency,
    not_negative,
    period,
    positive_rate,
    rating,
    unique,
)
from schemas.closed_sets import CLOSED_SETS
from schemas.codec import Document, Rejected
from schemas.totals import check_invoice, check_payment, check_rate

Check = Callable[[Document], Rejected | None]


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
    for field, allowed in _ALLOWED.get(document_type, ()):
        if document[field] not in allowed:
            return _not_of(field, document, CLOSED_SETS[document_type, field])
    check = _CHECKS.get(document_type)
    return check(document) if check is not None else None


def _not_of(field: str, document: Document, words: frozenset[str]) -> Rejected:
    listed = ", ".join(sorted(words))
    return Rejected(field, f"The {field} is {document[field]!r}, not one of {listed}.")


def _amount(field: str) -> Check:
    """Return the check of an amount that may lack its currency, or be missing itself."""

    def check(document: Document) -> Rejected | None:
        currency = document["currency"]
        return known_currency(document) or digits(field, document[field], currency)

    return check


def _opportunity(document: Document) -> Rejected | None:
    probability = document["probability"]
    if probability is not None and not 0 <= probability <= 1:
        return Rejected("probability", f"The probability is {probability:f}; it is from 0 to 1.")
    return _amount("amount")(document) or unique("line", document["lines"])


def _order(document: Document) -> Rejected | None:
    return positive_rate(document) or known_currency(document) or unique("line", document["lines"])


def _shipment(document: Document) -> Rejected | None:
    return unique("line", document["lines"])


def _lead(document: Document) -> Rejected | None:
    return not_negative(document, "budget") or _amount("budget")(document)


def _visit(document: Document) -> Rejected | None:
    return not_negative(document, "expense") or _amount("expense")(document)


def _target(document: Document) -> Rejected | None:
    return (
        period(document)
        or not_negative(document, "sales_target", "collections_target", "working_days")
        or _amount("sales_target")(document)
        or _amount("gross_margin_target")(document)
        or _amount("collections_target")(document)
    )


def _production(document: Document) -> Rejected | None:
    return not_negative(document, "quantity_planned", "quantity_finished", "quantity_scrapped")


def _capacity(document: Document) -> Rejected | None:
    if document["quantity"] is None and document["hours"] is None:
        return Rejected("capacity", "Neither a quantity nor hours are stated; one of them is.")
    return period(document) or not_negative(document, "quantity", "hours")


def _call(document: Document) -> Rejected | None:
    return not_negative(document, "waited_s", "talked_s") or rating(document)


def _service_visit(document: Document) -> Rejected | None:
    return (
        not_negative(document, "cost")
        or _amount("cost")(document)
        or unique("part", document["parts"])
    )


def _equipment(document: Document) -> Rejected | None:
    if not document["serial_number"]:
        return Rejected("serial_number", "The serial number is empty; it names the equipment.")
    return not_negative(document, "operating_hours") or unique("part", document["parts"])


def _allowed(document_type: str) -> tuple[tuple[str, frozenset[str | None]], ...]:
    """Return the closed sets of a type, with null where its contract lets the field be null."""
    fields = DOCUMENTS[document_type].schema["fields"]
    types = {field["name"]: field["type"] for field in fields}
    return tuple(
        (name, words | {None} if isinstance(types[name], list) else words)
        for (document, name), words in CLOSED_SETS.items()
        if document == document_type
    )


_ALLOWED = {document: _allowed(document) for document, _ in CLOSED_SETS}

_CHECKS: Mapping[str, Check] = {
    "customer": known_currency,
    "lead": _lead,
    "opportunity": _opportunity,
    "visit": _visit,
    "target": _target,
    "order": _order,
    "production": _production,
    "capacity": _capacity,
    "shipment": _shipment,
    "invoice": check_invoice,
    "payment": check_payment,
    "rate": check_rate,
    "call": _call,
    "case": rating,
    "service_visit": _service_visit,
    "equipment": _equipment,
}
