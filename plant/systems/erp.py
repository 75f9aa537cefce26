"""The ERP: exports once a night how each document stands that was changed during the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from plant.documents import (
    ERP,
    Customer,
    Document,
    Employee,
    Invoice,
    Order,
    Payment,
    Product,
    Rate,
    Shipment,
    ShipmentLine,
    Stock,
)
from plant.parameters import FIRST_DAY
from plant.systems import erp_money, erp_parties, erp_sales
from plant.systems import erp_tables as tables
from plant.systems.database import Books
from plant.systems.exporting import Delivery, Exporter
from plant.systems.hearing import Hearing
from plant.systems.numbers import Numbering, share

_KNOWN = (Employee, Invoice, Order, Payment, Product, Rate, Shipment, Stock)
_UNDER_TWIN = 0.3
_NOTICED = 0.05
_SUNDAY = 6


class Erp:
    """Listens to the plant; ``books`` is the database that holds the tables, if there is one."""

    def __init__(self, exporter: Exporter, numbering: Numbering, books: Books | None) -> None:
        self._exporter = exporter
        self._numbering = numbering
        self._books = books
        self._hearing = Hearing(ERP, numbering)
        self._today: dict[tuple[type, int], Document] = {}
        self._stock: dict[int, Stock] = {}
        self._notices = 0
        self._planned: dict[int, tuple[ShipmentLine, ...]] = {}

    def take(self, document: Document, at: datetime) -> None:
        """Keep the newest state of a document until the night."""
        if isinstance(document, Product):
            self._numbering.codes[document.key] = document.code
        if isinstance(document, Stock):
            self._stock[document.key] = document
        elif isinstance(document, Customer):
            self._hearing.take(document, at)
        elif isinstance(document, _KNOWN) and not (
            isinstance(document, Employee) and document.is_technician
        ):
            self._today[type(document), document.key] = document

    def end_day(self, day: date) -> None:
        """Export what was changed today; the stock on Sundays."""
        self._exporter.begin_day(day)
        if day == FIRST_DAY:
            self._load()
        parties = [
            record
            for heard in self._hearing.due(day)
            for record in erp_parties.customer_records(heard, self._numbering, day)
        ]
        deliveries = self._hearing.fresh(parties)
        deliveries += [self._record(document, day) for document in self._today.values()]
        self._today.clear()
        if day.weekday() == _SUNDAY:
            records = [
                erp_parties.stock_record(each, self._numbering) for each in self._stock.values()
            ]
            deliveries += records
            self._stock.clear()
        self._exporter.deliver(deliveries)
        if self._books is not None:
            self._books.keep(deliveries)

    def _load(self) -> None:
        """Put the people of the first morning in the ERP's own order."""
        people = {key: one for key, one in self._today.items() if key[0] is Employee}
        employees = self._numbering.employees[ERP].load(key for _, key in people)
        ordered: dict[tuple[type, int], Document] = {
            (Employee, key): people[Employee, key] for key in employees
        }
        self._today = ordered | self._today

    def _record(self, document: Document, day: date) -> Delivery:
        numbering = self._numbering
        match document:
            case Order():
                record = erp_sales.order_record(document, *self._entered(document), numbering, day)
                self._notice(record, day)
                return record
            case Shipment():
                entered = self._entered(document)
                whole = self._with_what_was_struck(document)
                return erp_sales.shipment_record(whole, *entered, numbering, day)
            case Invoice():
                entered = self._entered(document)
                return erp_money.invoice_record(document, *entered, numbering, day)
            case Payment():
                entered = self._entered(document)
                return erp_money.payment_record(document, *entered, numbering, day)
            case Product():
                return erp_parties.product_record(document, numbering, day)
            case Employee():
                return erp_parties.employee_record(document, numbering, day)
            case Rate():
                return erp_parties.rate_record(document)
        raise AssertionError(f"{type(document).__name__} is not taken")

    def _entered(self, document: Order | Shipment | Invoice | Payment) -> tuple[str, int]:
        """The number under which a document was entered, and the internal one of that.

        A customer that stands in the ERP twice gets some of its documents under the second record.
        """
        numbering, key = self._numbering, document.customer
        twin = erp_parties.has_twin(numbering, key) and (
            share(f"{numbering.seed}/erp/{type(document).__name__}/{document.key}") < _UNDER_TWIN
        )
        number = numbering.twin(key) if twin else numbering.customer(ERP, key)
        return number, numbering.customer_items.of(2 * key + twin)

    def _with_what_was_struck(self, shipment: Shipment) -> Shipment:
        """The shipment with all lines that it had: a struck one stays, with nothing in it."""
        numbers = {line.number for line in shipment.lines}
        struck = tuple(
            replace(line, quantity=Decimal(0), serial_numbers=())
            for line in self._planned.pop(shipment.key, ())
            if line.number not in numbers
        )
        whole = replace(shipment, lines=(*shipment.lines, *struck))
        if shipment.status == "planned":
            self._planned[shipment.key] = whole.lines
        return whole

    def _notice(self, record: Delivery, day: date) -> None:
        if share(f"{self._numbering.seed}/notice/{record.key}/{day}") < _NOTICED:
            self._notices += 1
            self._exporter.write(tables.ORDER, erp_sales.change_notice(record.row, self._notices))
