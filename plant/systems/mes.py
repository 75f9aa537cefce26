"""The MES: tab-separated, in local time without a zone; nothing says when an order was changed."""

from __future__ import annotations

from datetime import date, datetime, time

from plant.documents import ERP, MES, Capacity, Document, Product, Production
from plant.parameters import FIRST_DAY
from plant.systems.exporting import Delivery, Exporter
from plant.systems.flaws import CSV_BREAKS, emptied, impossible_day, worded
from plant.systems.numbers import Numbering, drawn, share
from plant.systems.tables import Table
from plant.systems.telling import CANCELLED, EXISTS

MATERIAL = Table(
    "material",
    ("MAT_NO", "MAT_TEXT", "MAT_GRP", "UOM", "LINE", "LT_DAYS", "ERP_NO", "CHANGED"),
    "utf-8",
    "\t",
    changed="%Y-%m-%d 22:00:00",
    bom=True,
)
WORK_ORDER = Table(
    "work_order",
    (
        "WO_NO",
        "MAT_NO",
        "LINE",
        "QTY_PLAN",
        "QTY_OK",
        "QTY_NG",
        "PLAN_START",
        "PLAN_END",
        "ACT_START",
        "ACT_END",
        "SO_NO",
        "SO_ITEM",
        "STATE",
    ),
    "utf-8",
    "\t",
    by="day",
    bom=True,
)
CAPACITY = Table(
    "capacity",
    ("LINE", "WEEK_FROM", "WEEK_TO", "HOURS"),
    "utf-8",
    "\t",
    by="day",
    bom=True,
)

_STATES = {
    "planned": "CREATED",
    "released": "RELEASED",
    "started": "RUNNING",
    "finished": "DONE",
    "cancelled": "KILLED",
}
_CROSS_REFERENCED = 0.88
_MONDAY = 0

_MATERIAL_BREAKS = (
    *CSV_BREAKS,
    emptied("MAT_NO", "no_key", "the material has no number"),
    impossible_day("CHANGED", "not_a_date", "2024-02-30 08:00:00"),
)
_WORK_ORDER_BREAKS = (
    *CSV_BREAKS,
    worded("STATE", "unknown_value", "the state is one that nobody knows", "PAUSED"),
    worded("QTY_PLAN", "not_a_number", "words stand in a quantity", "N/A"),
    impossible_day("PLAN_START", "not_a_date", "2024-04-31 08:00:00"),
    emptied("MAT_NO", "not_the_contract", "the material is missing"),
)
_CAPACITY_BREAKS = (
    *CSV_BREAKS,
    worded("HOURS", "not_a_number", "words stand in hours", "frei"),
)


class Mes:
    """Listens to the plant."""

    def __init__(self, exporter: Exporter, numbering: Numbering) -> None:
        self._exporter = exporter
        self._numbering = numbering
        self._materials: dict[int, Product] = {}
        self._orders: dict[int, Production] = {}
        self._weeks: dict[int, Capacity] = {}

    def take(self, document: Document, at: datetime) -> None:
        """Keep the newest state of a document until the night."""
        match document:
            case Product():
                self._materials[document.key] = document
            case Production():
                self._orders[document.key] = document
            case Capacity():
                self._weeks[document.key] = document

    def end_day(self, day: date) -> None:
        """Export what was changed today; the capacity on Mondays."""
        self._exporter.begin_day(day)
        if day == FIRST_DAY:
            loaded = self._numbering.products[MES].load(self._materials)
            self._materials = {key: self._materials[key] for key in loaded}
        deliveries = [self._material(each, day) for each in self._materials.values()]
        deliveries += [self._work_order(each) for each in self._orders.values()]
        self._materials.clear()
        self._orders.clear()
        if day.weekday() == _MONDAY:
            deliveries += [self._capacity(each) for each in self._weeks.values()]
            self._weeks.clear()
        self._exporter.deliver(deliveries)

    def _material(self, product: Product, day: date) -> Delivery:
        numbering = self._numbering
        number = numbering.product(MES, product.key)
        known = share(f"{numbering.seed}/mes/{product.key}") < _CROSS_REFERENCED
        row = [
            number,
            f"{product.name} {product.latin}",
            product.family.upper(),
            product.unit,
            product.line,
            str(product.lead_time_days),
            numbering.product(ERP, product.key) if known else "",
            f"{day} 22:00:00",
        ]
        return Delivery("product", product.key, number, MATERIAL, row, _MATERIAL_BREAKS)

    def _work_order(self, order: Production) -> Delivery:
        numbering = self._numbering
        number = numbering.bill("production", order.key)
        key = f"{numbering.seed}/mes/{order.key}"
        row = [
            number,
            numbering.product(MES, order.product),
            order.line,
            f"{order.planned:.3f}",
            f"{order.finished:.3f}",
            f"{order.scrapped:.3f}",
            f"{order.planned_start_on} 08:00:00",
            f"{order.planned_finish_on} 20:00:00",
            _at(order.started_on, f"{key}/start"),
            _at(order.finished_on, f"{key}/finish"),
            "" if order.order is None else numbering.bill("order", order.order),
            "" if order.order_line is None else str(order.order_line // 10),
            _STATES[order.status],
        ]
        state = EXISTS | (CANCELLED if order.status == "cancelled" else 0)
        return Delivery(
            "production", order.key, number, WORK_ORDER, row, _WORK_ORDER_BREAKS, state=state
        )

    def _capacity(self, week: Capacity) -> Delivery:
        row = [week.line, f"{week.first}", f"{week.last}", f"{week.hours:.2f}"]
        number = f"{week.line}|{week.first}"
        return Delivery("capacity", week.key, number, CAPACITY, row, _CAPACITY_BREAKS)


def _at(day: date | None, key: str) -> str:
    """A moment of the day's shift, as the machine's clock had it."""
    if day is None:
        return ""
    minute = drawn(key) % 600
    at = datetime.combine(day, time(8 + minute // 60, minute % 60, drawn(f"{key}/s") % 60))
    return f"{at:%Y-%m-%d %H:%M:%S}"
