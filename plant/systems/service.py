"""The service network: a German partner's program, on a server at home, in its local time."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from plant.documents import (
    ERP,
    SERVICE,
    Case,
    Customer,
    Document,
    Employee,
    Equipment,
    Product,
    ServiceVisit,
    Shipment,
)
from plant.parameters import FIRST_DAY
from plant.systems import service_records as records
from plant.systems.exporting import Delivery, Exporter
from plant.systems.hearing import Hearing
from plant.systems.numbers import Numbering, drawn, share
from plant.systems.telling import Told

#: Of the machines that are delivered.
_SAID_TOO_EARLY = 0.04


class ServiceNetwork:
    """Listens to the plant."""

    def __init__(self, exporter: Exporter, numbering: Numbering, told: Told) -> None:
        self._exporter = exporter
        self._numbering = numbering
        self._told = told
        self._hearing = Hearing(SERVICE, numbering)
        self._today: dict[tuple[type, int], Document] = {}
        self._machines: set[int] = set()
        self._delivered: dict[str, Shipment] = {}

    def take(self, document: Document, at: datetime) -> None:
        """Keep the newest state of a document until the night."""
        if isinstance(document, Customer):
            self._hearing.take(document, at)
        elif isinstance(document, Employee):
            if document.is_technician:
                self._numbering.technicians.add(document.key)
                self._today[Employee, document.key] = document
        elif isinstance(document, Case | ServiceVisit | Equipment):
            self._today[type(document), document.key] = document
        elif isinstance(document, Product):
            if document.is_machine:
                self._machines.add(document.key)
        elif isinstance(document, Shipment) and document.delivered_on is not None:
            for line in document.lines:
                if line.product in self._machines and line.quantity > 0:
                    self._delivered.update(dict.fromkeys(line.serial_numbers, document))

    def end_day(self, day: date) -> None:
        """Export what was changed today."""
        self._exporter.begin_day(day)
        customers = [
            records.customer(heard, self._numbering, day) for heard in self._hearing.due(day)
        ]
        deliveries = self._hearing.fresh(customers)
        deliveries += [self._record(each, day) for each in self._today.values()]
        self._exporter.deliver(deliveries)
        self._today.clear()

    def _record(self, document: Document, day: date) -> Delivery:
        numbering = self._numbering
        match document:
            case Employee():
                return records.technician(document, numbering, day)
            case Equipment():
                said = self._installed_on(document, day)
                return records.equipment(document, said, numbering, day)
            case Case():
                return records.case(document, numbering, day)
            case ServiceVisit():
                return records.visit(document, numbering, day)
        raise AssertionError(f"{type(document).__name__} is not taken")

    def _installed_on(self, equipment: Equipment, day: date) -> date:
        """When the partner says that a machine was put to use: for some, before it had come."""
        true = equipment.installed_on
        key = f"{self._numbering.seed}/service/installed/{equipment.key}"
        shipment = self._delivered.pop(equipment.serial_number, None)
        if true < FIRST_DAY or share(key) >= _SAID_TOO_EARLY:
            return true
        said = true - timedelta(days=6 + drawn(f"{key}/days") % 15)
        if shipment is not None:
            serial = equipment.serial_number
            self._told.contradictions.append(
                {
                    "what": f"the service has {serial} at work before the ERP has it delivered",
                    "since": str(day),
                    "says": [
                        {
                            "source": SERVICE,
                            "id": self._numbering.bill("equipment", equipment.key),
                            "installed_on": str(said),
                        },
                        {
                            "source": ERP,
                            "id": self._numbering.bill("shipment", shipment.key),
                            "delivered_on": str(shipment.delivered_on),
                        },
                    ],
                }
            )
        return said
