"""What the service network writes: customers, technicians, machines, cases, visits; in German."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from plant.documents import (
    ERP,
    SERVICE,
    Case,
    Employee,
    Equipment,
    ServiceVisit,
)
from plant.parameters import FIRST_DAY
from plant.systems.exporting import Delivery
from plant.systems.flaws import CSV_BREAKS, emptied, impossible_day, worded
from plant.systems.hearing import Heard
from plant.systems.numbers import Numbering
from plant.systems.spelling import spelled
from plant.systems.tables import Table

_ENCODING = "cp1252"
_PLANT_ZONE = timezone(timedelta(hours=8))
_SERVER_ZONE = ZoneInfo("Europe/Berlin")


def _table(stem: str, columns: str) -> Table:
    return Table(stem, tuple(columns.split()), _ENCODING, ";", changed="%d.%m.%Y")


CUSTOMER = _table(
    "Kunde",
    "Kundennr Firma Strasse PLZ Ort Land Telefon EMail Web USt_ID Fremdnr Angelegt Geaendert",
)
TECHNICIAN = _table("Techniker", "Nr Name Team Leiter Geaendert")
MACHINE = _table(
    "Maschine",
    "Nr Seriennr Artikel Kundennr Inbetriebnahme Garantie_bis Betriebsstunden Abgelesen Status"
    " Geaendert",
)
BUILT_IN = _table("Einbauteil", "Maschine Pos Artikel Seriennr Eingebaut Geaendert")
CASE = _table(
    "Fall",
    "Nr Kundennr Art Prioritaet Melder Bearbeiter Betreuer_ERP Text Eroeffnet Beantwortet"
    " Geschlossen Note Auftrag Lieferschein Rechnung Seriennr Geaendert",
)
VISIT = _table(
    "Einsatz",
    "Nr Kundennr Fall Techniker Seriennr Termin Ankunft Ende Arbeit Nachgefasst Kosten Geaendert",
)
USED_PART = _table("Einsatzteil", "Einsatz Pos Artikel Seriennr Menge Geaendert")

_KINDS = {
    "quality": "Qualität",
    "delivery": "Lieferung",
    "after_sales": "Kundendienst",
    "billing": "Rechnung",
    "request": "Anfrage",
}
_PRIORITIES = {"low": "niedrig", "medium": "mittel", "high": "hoch", "critical": "kritisch"}

_CHANGED = impossible_day("Geaendert", "not_a_date", "30.02.2024")
_CUSTOMER_BREAKS = (
    *CSV_BREAKS,
    _CHANGED,
    emptied("Kundennr", "no_key", "the customer has no number"),
)
_TECHNICIAN_BREAKS = (*CSV_BREAKS, _CHANGED)
_MACHINE_BREAKS = (
    *CSV_BREAKS,
    _CHANGED,
    worded("Status", "unknown_value", "the status is one that nobody knows", "X", lasting=True),
    worded(
        "Betriebsstunden",
        "not_a_number",
        "words stand in the hours",
        "ca. 1200",
        lasting=True,
    ),
)
_CASE_BREAKS = (
    *CSV_BREAKS,
    _CHANGED,
    worded("Art", "unknown_value", "the kind is one that nobody knows", "Sonstiges"),
    worded("Eroeffnet", "not_an_instant", "a date does not exist", "31.04.2024 09:00"),
    emptied("Eroeffnet", "not_the_contract", "nothing says when it was opened"),
    emptied("Nr", "no_key", "the case has no number"),
)
_VISIT_BREAKS = (
    *CSV_BREAKS,
    _CHANGED,
    worded("Kosten", "not_a_number", "words stand in an amount", "pauschal", lasting=True),
    worded("Ankunft", "not_an_instant", "a time does not exist", "30.02.2024 08:15", lasting=True),
)


def customer(heard: Heard, numbering: Numbering, today: date) -> Delivery:
    """A customer."""
    one = heard.customer
    written = spelled(numbering.seed, SERVICE, one)
    number = numbering.customer(SERVICE, one.key)
    known = written.cross_referenced and ERP in one.known_in
    row = [
        number,
        written.name,
        _readable(written.street),
        written.postcode,
        _readable(written.city),
        one.country,
        written.phone,
        written.email,
        f"www.{written.domain}" if written.domain else "",
        written.tax_id,
        numbering.customer(ERP, one.key) if known else "",
        _day(written.registered_on if heard.since == FIRST_DAY else heard.since),
        _day(today),
    ]
    mistaken = None
    if written.postcode:
        mistaken = row.copy()
        mistaken[3] = written.postcode[::-1]
    return Delivery("customer", one.key, number, CUSTOMER, row, _CUSTOMER_BREAKS, mistaken=mistaken)


def technician(one: Employee, numbering: Numbering, today: date) -> Delivery:
    """Somebody who mends."""
    number = numbering.employee(SERVICE, one.key)
    chief = "" if one.manager is None else numbering.employee(ERP, one.manager)
    row = [number, _readable(one.latin), _readable(one.team), chief, _day(today)]
    return Delivery("employee", one.key, number, TECHNICIAN, row, _TECHNICIAN_BREAKS)


def equipment(one: Equipment, installed_on: date, numbering: Numbering, today: date) -> Delivery:
    """A machine in the field with what is built into it; ``installed_on`` as the partner has it."""
    number = numbering.bill("equipment", one.key)
    changed = _day(today)
    row = [
        number,
        one.serial_number,
        numbering.product(ERP, one.product),
        numbering.customer(SERVICE, one.customer),
        _day(installed_on),
        _day(one.warranty_until),
        _german(Decimal(one.hours), 0),
        _day(one.read_on),
        "V" if one.retired else "A",
        changed,
    ]
    parts = [
        (
            BUILT_IN,
            [
                number,
                str(part.number),
                numbering.product(ERP, part.product),
                part.serial_number,
                _day(part.installed_on),
                changed,
            ],
        )
        for part in one.parts
    ]
    return Delivery("equipment", one.key, number, MACHINE, row, _MACHINE_BREAKS, parts)


def case(one: Case, numbering: Numbering, today: date) -> Delivery:
    """A request or complaint."""
    number = numbering.bill("case", one.key)
    ours = one.owner in numbering.technicians
    row = [
        number,
        numbering.customer(SERVICE, one.customer),
        _KINDS[one.category],
        _PRIORITIES[one.severity],
        _readable(one.originator),
        numbering.employee(SERVICE, one.owner) if ours else "",
        "" if ours else numbering.employee(ERP, one.owner),
        _readable(one.text),
        _at(one.opened_at),
        _at(one.answered_at),
        _at(one.closed_at),
        "" if one.rating is None else str(one.rating),
        "" if one.order is None else numbering.bill("order", one.order),
        "" if one.shipment is None else numbering.bill("shipment", one.shipment),
        "" if one.invoice is None else numbering.bill("invoice", one.invoice),
        one.serial_number or "",
        _day(today),
    ]
    return Delivery("case", one.key, number, CASE, row, _CASE_BREAKS)


def visit(one: ServiceVisit, numbering: Numbering, today: date) -> Delivery:
    """A technician's visit with the parts used."""
    number = numbering.bill("service_visit", one.key)
    changed = _day(today)
    done = {None: "", True: "ja", False: "nein"}[one.follow_up_done]
    row = [
        number,
        numbering.customer(SERVICE, one.customer),
        "" if one.case is None else numbering.bill("case", one.case),
        numbering.employee(SERVICE, one.technician),
        one.serial_number,
        _at(one.appointment_at),
        _at(one.arrived_at),
        _at(one.completed_at),
        _readable(one.work_done),
        done,
        _german(one.cost, 2),
        changed,
    ]
    parts = [
        (
            USED_PART,
            [
                number,
                str(part.number),
                numbering.product(ERP, part.product),
                part.serial_number,
                _german(part.quantity, 2),
                changed,
            ],
        )
        for part in one.parts
    ]
    return Delivery("service_visit", one.key, number, VISIT, row, _VISIT_BREAKS, parts)


def _readable(text: str) -> str:
    """A text in Latin letters; nothing where the program could not have taken it down."""
    try:
        text.encode(_ENCODING)
    except UnicodeEncodeError:
        return ""
    return text


def _day(value: date) -> str:
    return f"{value:%d.%m.%Y}"


def _at(value: datetime | None) -> str:
    """A moment of the plant as the server's clock had it."""
    if value is None:
        return ""
    return f"{value.replace(tzinfo=_PLANT_ZONE).astimezone(_SERVER_ZONE):%d.%m.%Y %H:%M}"


def _german(value: Decimal, places: int) -> str:
    return f"{value:,.{places}f}".replace(",", "'").replace(".", ",").replace("'", ".")
