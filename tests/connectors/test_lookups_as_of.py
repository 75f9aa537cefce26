"""A lookup finds the record that holds on a date."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from connectors.mapping import MappingError
from tests.connectors.sources import SampleSource, mapping

TEXT = """
streams:
  order: {from: "orders*.csv", key: no}
  price: {from: "prices*.csv", key: [product, {default: valid, to: "-"}]}
events:
- emit: order
  from: order
  key: no
  lookup:
    price: {in: price, on: {product: product}, as_of: {valid: day}}
  fields:
    customer: {reference: customer}
    ordered_on: {date: day}
    currency: {const: EUR}
    status: {const: open}
  lines:
    fields:
      number: no
      product: {reference: product}
      quantity: {const: 1}
      net_amount: {default: $price.amount, to: 0}
"""
PRICES = "product,valid,amount\nP,2026-01-01,10\nP,2026-02-01,11\nP,,99\nP,2026-03-01,12\n"


@pytest.mark.parametrize(
    ("day", "amount"),
    [("2026-02-15", "11"), ("2026-02-01", "11"), ("2026-01-31", "10"), ("2025-12-31", "0")],
)
def test_newest_record_that_is_not_behind_the_date_counts(
    database_url: str, tmp_path: Path, day: str, amount: str
) -> None:
    source = SampleSource(database_url, tmp_path, mapping(TEXT))
    source.write("prices.csv", PRICES)
    source.write("orders.csv", f"no,customer,day,product\n1,C,{day},P\n")
    source.run()
    ((_, order),) = source.standing().items()
    assert order["lines"][0]["net_amount"] == Decimal(amount)


def test_date_that_does_not_exist_refuses_the_document_and_not_the_pass(
    database_url: str, tmp_path: Path
) -> None:
    source = SampleSource(database_url, tmp_path, mapping(TEXT))
    source.write("prices.csv", PRICES + "Q,2026-02-30,9\n")
    source.write("orders.csv", "no,customer,day,product\n1,C,2026-02-15,P\n2,C,2026-02-15,Q\n")
    report = source.run()
    assert (report.published, report.rejected) == (1, 1)


def test_as_of_names_one_field_of_a_lookup_of_one_record() -> None:
    for wrong in ("as_of: day", "as_of: {a: b, c: d}", "many: true, as_of: {valid: day}"):
        with pytest.raises(MappingError, match=r"lookup\.price\.as_of: expected"):
            mapping(TEXT.replace("as_of: {valid: day}", wrong))
