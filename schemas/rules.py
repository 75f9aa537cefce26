"""What documents must keep beyond their contracts, type by type; money is in schemas.totals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from schemas.catalogue import DOCUMENTS
from schemas.checks import (
    Document,
    digits,
    in_order,
    known_currency,
    not_itself,
    not_negative,
    period,
    positive_rate,
    rating,
    terms,
    unique,
)
from schemas.codec import Rejected
from schemas.events import (
    Call,
    Capacity,
    Case,
    Contact,
    Customer,
    Decision,
    Equipment,
    Lead,
    Opportunity,
    Order,
    Product,
    Production,
    ServiceVisit,
    Shipment,
    Target,
    Visit,
)
from schemas.totals import check_invoice, check_payment, check_rate

Check = Callable[[Any], Rejected | None]


def _amount(document: Document, field: str) -> Rejected | None:
    """Refuse an unknown currency, or digits that it has not; either may be missing."""
    return known_currency(document) or digits(field, document[field], document["currency"])


def _customer(document: Customer) -> Rejected | None:
    return known_currency(document) or not_itself(document, "parent") or terms(document["terms"])


def _contact(document: Contact) -> Rejected | None:
    return not_itself(document, "reports_to")


def _product(document: Product) -> Rejected | None:
    return not_itself(document, "replaced_by") or not_negative(
        document,
        "lead_time_days",
        "service_interval_days",
        "service_interval_hours",
        "expected_life_days",
    )


def _lead(document: Lead) -> Rejected | None:
    return (
        not_negative(document, "budget")
        or _amount(document, "budget")
        or in_order(document, "opened_on", "closed_on")
    )


def _opportunity(document: Opportunity) -> Rejected | None:
    probability = document["probability"]
    if probability is not None and not 0 <= probability <= 1:
        return Rejected("probability", f"The probability is {probability:f}; it is from 0 to 1.")
    return (
        _amount(document, "amount")
        or in_order(document, "opened_on", "closed_on")
        or unique("line", document["lines"])
    )


def _order(document: Order) -> Rejected | None:
    return (
        positive_rate(document)
        or known_currency(document)
        or terms(document["terms"])
        or unique("line", document["lines"])
    )


def _shipment(document: Shipment) -> Rejected | None:
    return in_order(document, "dispatched_on", "delivered_on") or unique("line", document["lines"])


def _visit(document: Visit) -> Rejected | None:
    return not_negative(document, "expense") or _amount(document, "expense")


def _target(document: Target) -> Rejected | None:
    return (
        period(document)
        or not_negative(document, "sales_target", "collections_target", "working_days")
        or _amount(document, "sales_target")
        or _amount(document, "gross_margin_target")
        or _amount(document, "collections_target")
    )


def _production(document: Production) -> Rejected | None:
    return (
        not_negative(document, "quantity_planned", "quantity_finished", "quantity_scrapped")
        or in_order(document, "planned_start_on", "planned_finish_on")
        or in_order(document, "started_on", "finished_on")
    )


def _capacity(document: Capacity) -> Rejected | None:
    if document["quantity"] is None and document["hours"] is None:
        return Rejected("capacity", "Neither a quantity nor hours are stated; one of them is.")
    return period(document) or not_negative(document, "quantity", "hours")


def _call(document: Call) -> Rejected | None:
    return not_negative(document, "waited_s", "talked_s") or rating(document)


def _case(document: Case) -> Rejected | None:
    # An answer may come before its case: the call is taken first and written down afterwards.
    return rating(document) or in_order(document, "opened_at", "closed_at")


def _service_visit(document: ServiceVisit) -> Rejected | None:
    return (
        not_negative(document, "cost")
        or _amount(document, "cost")
        or in_order(document, "arrived_at", "completed_at")
        or unique("part", document["parts"])
    )


def _equipment(document: Equipment) -> Rejected | None:
    if not document["serial_number"]:
        return Rejected("serial_number", "The serial number is empty; it names the equipment.")
    return not_negative(document, "operating_hours") or unique("part", document["parts"])


def _decision(document: Decision) -> Rejected | None:
    if not document["actor"]:
        return Rejected("actor", "The actor is empty; it is the person who decided.")
    for subject in document["subjects"]:
        named = subject["document"]
        if named not in DOCUMENTS or DOCUMENTS[named].kind != "event":
            return Rejected("subject", f"A subject is {named!r}, which is no type of document.")
    return (
        _what_was_decided(document)
        or not_negative(document, "amount", "quantity")
        or _amount(document, "amount")
    )


def _what_was_decided(document: Decision) -> Rejected | None:
    kind, subjects = document["kind"], document["subjects"]
    if kind in ("link", "keep_apart"):
        documents = [(each["reference"]["source"], each["reference"]["id"]) for each in subjects]
        if len(set(documents)) < 2:
            return _lacks(kind, "two subjects")
    elif kind in ("acknowledge", "snooze", "assign", "overrule"):
        if not document["subject_keys"]:
            return _lacks(kind, "a subject key")
        if kind == "assign" and document["assigned_to"] is None:
            return _lacks(kind, "the employee in assigned_to")
        if kind == "overrule" and not document["value"]:
            return _lacks(kind, "the cause in value")
    elif kind == "accept":
        if len(subjects) < 2 or document["amount"] is None or document["currency"] is None:
            return _lacks(kind, "a payment and an invoice as subjects, with amount and currency")
    elif not subjects or document["quantity"] is None:
        return _lacks(kind, "a subject and a quantity")
    return None


def _lacks(kind: str, needed: str) -> Rejected:
    return Rejected("decision", f"The decision is {kind!r}, which names {needed}; this does not.")


RULES: Mapping[str, Check] = MappingProxyType(
    {
        "customer": _customer,
        "contact": _contact,
        "product": _product,
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
        "case": _case,
        "service_visit": _service_visit,
        "equipment": _equipment,
        "decision": _decision,
    }
)
"""By the type of document."""
