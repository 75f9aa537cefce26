"""Keeps what each order and opportunity line asks of production with the documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import psycopg

from hub.policy import Policy
from sinks.changes import Change, Marks, refusal
from sinks.dead_letters import DeadLetter
from streams.demand.products import keep_products
from streams.demand.rules import (
    Line,
    ProductRecord,
    lines_of_opportunity,
    lines_of_order,
    product_of,
)

#: What marks are about: months (``product key|YYYY-MM``), and all months of an opportunity or a
#: product. The latter are looked up when they are published and not when they are marked: another
#: transaction, not yet visible then, may be bringing lines of the same opportunity or product.
SUBJECT = "demand"
OF_OPPORTUNITY = "demand_of_opportunity"
OF_PRODUCT = "demand_of_product"

_COLUMNS = (
    "document, key, number, product_key, demand_on, quantity, stage, since, until, opportunity_key"
)
_TYPES = ["text", "text", "text", "text", "date", "numeric", "text", "date", "date", "text"]


class Demand:
    """The stream of the question: what must production make, given what may be won."""

    name = "demand"
    documents = frozenset({"order", "opportunity", "product"})
    customers_of: frozenset[str] = frozenset()
    tables = ("product_records", "demand_lines")
    views: Mapping[str, str] = MappingProxyType({"view.demand.v1": SUBJECT})
    staging = ()

    def __init__(self, policy: Policy) -> None:
        self._days = policy.order_to_delivery_days

    def apply(
        self,
        connection: psycopg.Connection[Any],
        document: str,
        changes: list[Change],
        marks: Marks,
    ) -> list[DeadLetter]:
        """See `sinks.changes.Stream`."""
        if document == "product":
            return self._take_products(connection, changes, marks)
        read = lines_of_order if document == "order" else lines_of_opportunity
        lines: list[Line] = []
        known: list[str] = []
        letters = []
        for change in changes:
            try:
                lines += [] if change.gone else read(change.key, change.document, self._days)
            except Exception as error:  # noqa: BLE001 - a rule failed on this record only
                letters.append(refusal(self.name, document, change, error))
                continue
            if not change.first:
                known.append(change.key)
        touched = {(line.product_key, line.demand_on, line.opportunity_key) for line in lines}
        touched.update(
            connection.execute(
                "DELETE FROM demand_lines WHERE document = %s AND key = ANY(%b)"
                " RETURNING product_key, demand_on, opportunity_key",
                (document, known),
            ).fetchall()
            if known
            else ()
        )
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY demand_lines ({_COLUMNS}) FROM STDIN (FORMAT binary)") as copy,
        ):
            copy.set_types(_TYPES)
            for line in lines:
                copy.write_row(line)
        won = sorted({opportunity for _, _, opportunity in touched if opportunity})
        if document == "order":
            # What an order takes from an opportunity changes that opportunity's months.
            marks.add(OF_OPPORTUNITY, won)
        marks.add(SUBJECT, view_keys((product, day) for product, day, _ in touched))
        return letters

    def finish(self, connection: psycopg.Connection[Any]) -> None:
        """See `sinks.changes.Stream`."""

    def _take_products(
        self, connection: psycopg.Connection[Any], changes: list[Change], marks: Marks
    ) -> list[DeadLetter]:
        taken: dict[str, ProductRecord | None] = {}
        letters = []
        for change in changes:
            try:
                taken[change.key] = None if change.gone else product_of(change.key, change.document)
            except Exception as error:  # noqa: BLE001 - a rule failed on this record only
                letters.append(refusal(self.name, "product", change, error))
        if taken:
            marks.add(OF_PRODUCT, keep_products(connection, taken))
        return letters


def publish_chances(connection: psycopg.Connection[Any], policy: Policy) -> None:
    """Write the chances of the stages that count, for those who read the database."""
    counted = {
        stage: chance
        for stage, chance in policy.stage_chances.items()
        if chance >= policy.chance_threshold and chance > 0
    }
    connection.execute("DELETE FROM stage_chances WHERE stage <> ALL(%s)", (list(counted),))
    for stage, chance in sorted(counted.items()):
        connection.execute(
            """
            INSERT INTO stage_chances (stage, chance) VALUES (%s, %s)
            ON CONFLICT (stage) DO UPDATE SET chance = excluded.chance
            """,
            (stage, chance),
        )


def view_keys(places: Iterable[tuple[Any, Any]]) -> set[str]:
    """Return the keys ``product key|YYYY-MM`` of the months that are known."""
    return {f"{product}|{day:%Y-%m}" for product, day in places if product and day}
