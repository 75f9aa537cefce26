"""Demand per product and month, worked out afresh: orders and pipeline (DOMAIN.md §4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tests.oracle.documents import Document, Documents
from tests.oracle.references import Groups, cross_references, key_of

STAGE_CHANCE = {
    "identify": Decimal("0.10"),
    "qualify": Decimal("0.25"),
    "develop": Decimal("0.50"),
    "propose": Decimal("0.75"),
    "won": Decimal(1),
    "lost": Decimal(0),
}
LEAST_CHANCE = Decimal("0.20")
USUAL_TIME_TO_DELIVERY = timedelta(days=30)


@dataclass(slots=True)
class Demand:
    """Units of one product wanted in one month."""

    orders: Decimal = Decimal(0)
    pipeline: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """Orders and pipeline together."""
        return self.orders + self.pipeline


def demand(documents: Documents, as_of: date) -> dict[tuple[str, str], Demand]:
    """Return demand by (product key, month as YYYY-MM)."""
    products = Groups()
    for one, other in cross_references(documents.live("product")):
        products.unite(one, other)
    result: dict[tuple[str, str], Demand] = {}
    ordered: dict[tuple[str, str], Decimal] = {}

    for order in documents.live("order").values():
        if not order_counts(order, as_of):
            continue
        opportunity = key_of(order["opportunity"], order["source"])
        for line in order["lines"]:
            product_key = key_of(line["product"], order["source"])
            if line["rejected"] or product_key is None:
                continue
            product = products.smallest(product_key)
            wanted = line["wanted_on"] or order["ordered_on"] + USUAL_TIME_TO_DELIVERY
            result.setdefault((product, month_of(wanted)), Demand()).orders += line["quantity"]
            if opportunity is not None:
                place = (opportunity, product)
                ordered[place] = ordered.get(place, Decimal(0)) + line["quantity"]

    for key, opportunity_body in documents.live("opportunity").items():
        if business_date(opportunity_body) > as_of:
            continue
        stage = stage_of(opportunity_body)
        if STAGE_CHANCE[stage] < LEAST_CHANCE:
            continue
        for product, wanted, quantity in forecast_lines(opportunity_body, products):
            if stage == "won":
                covered = min(quantity, max(ordered.get((key, product), Decimal(0)), Decimal(0)))
                if covered:
                    ordered[(key, product)] -= covered
                quantity -= covered
            place = (product, month_of(wanted))
            result.setdefault(place, Demand()).pipeline += quantity * STAGE_CHANCE[stage]
    return {place: found for place, found in result.items() if found.orders or found.pipeline}


def order_counts(order: Document, as_of: date) -> bool:
    """Say whether an order stands at a date: entered by then and not cancelled by then."""
    if order["ordered_on"] > as_of:
        return False
    if order["status"] == "cancelled" and order["cancelled_on"] is None:
        return False
    return order["cancelled_on"] is None or order["cancelled_on"] > as_of


def business_date(opportunity: Document) -> date:
    """Return when an opportunity was opened; that of the event where it does not say."""
    opened_on: date | None = opportunity["opened_on"]
    if opened_on is not None:
        return opened_on
    instant: datetime = opportunity["occurred_at"]
    return instant.astimezone(UTC).date()


def stage_of(opportunity: Document) -> str:
    """Return the stage; an outcome, where there is one, has the last word."""
    return str(opportunity["outcome"] or opportunity["stage"])


def forecast_lines(opportunity: Document, products: Groups) -> list[tuple[str, date, Decimal]]:
    """Return (product, demand date, quantity) of the lines with all three, earliest first."""
    lines = []
    for line in opportunity["lines"]:
        product = key_of(line["product"], opportunity["source"])
        wanted = line["wanted_on"]
        if wanted is None and opportunity["expected_close_on"] is not None:
            wanted = opportunity["expected_close_on"] + USUAL_TIME_TO_DELIVERY
        if product is None or wanted is None or line["quantity"] is None:
            continue
        lines.append((wanted, line["number"], products.smallest(product), line["quantity"]))
    return [(product, wanted, quantity) for wanted, _, product, quantity in sorted(lines)]


def month_of(day: date) -> str:
    """Return the month of a date as YYYY-MM."""
    return f"{day.year:04}-{day.month:02}"
