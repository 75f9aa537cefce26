"""The hub on invented records with the formats and traps of the real ones, in every way."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pytest

from tests.connectors.sources import FIXTURES
from tests.real.figures import figure, table
from tests.real.northwind import NorthwindFigures
from tests.real.rounds import Expectation, rounds
from tests.real.sap import SapFigures
from tests.real.variations import deliver_twice, shuffle_lines, shuffled

SAP = SapFigures(
    folder="s4",
    customers=2,
    archived=1,
    products=2,
    orders=3,
    cancelled_orders=("9002",),
    deliveries=2,
    deliveries_that_left=1,
    delivery_lines=3,
    invoices=3,
    cancellations=1,
    gross_is_net=1,
    open_invoices={"8001": ("500001", "118.00"), "8004": ("500001", "55.50")},
)
NORTHWIND = NorthwindFigures(
    orders=3,
    lines=4,
    customers=2,
    products=2,
    not_shipped=1,
    shipped_late=1,
    order_value=Decimal("354.3995"),
    business_date="2025-12-31",
)


@pytest.mark.stack
@pytest.mark.timeout(400)
@pytest.mark.parametrize("expected", [SAP, NORTHWIND], ids=["sap", "northwind"])
def test_every_figure_holds_whichever_way_the_records_come(
    expected: Expectation, data_folder: Path
) -> None:
    runs = list(rounds(expected, FIXTURES, data_folder, seed=11, brief=True))
    assert len(runs) == 2
    for run in runs:
        assert run.holds, f"{run.name}\n{table(one for one in run.figures if not one.holds)}"


def test_a_figure_holds_if_it_reads_the_same() -> None:
    assert figure("orders", 1200, 1200, "headrace status").holds
    assert figure("cancelled", ["7", "8"], ("7", "8"), "").expected == "7, 8"
    wrong = figure("open", "5.00", Decimal("5"), "headrace show receivables")
    assert not wrong.holds
    assert "DIFFERENT  open    5.00      5      headrace show receivables" in table([wrong])


def test_files_are_delivered_twice_under_names_that_their_streams_know(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "part-20260101-1.jsonl").write_text("{}\n")
    assert deliver_twice(tmp_path) == 1
    names = sorted(path.name for path in (tmp_path / "orders").iterdir())
    assert names == ["part-20260101-1-again.jsonl", "part-20260101-1.jsonl"]


def test_lines_of_one_key_keep_their_order_in_a_random_one() -> None:
    lines = [f"{key}{number}" for number in range(20) for key in "abc"]
    found = shuffled(lines, lambda line: (line[0],), random.Random(1))
    assert found != lines
    assert sorted(found) == sorted(lines)
    for key in "abc":
        assert [line for line in found if line[0] == key] == [
            line for line in lines if line[0] == key
        ]


def test_a_record_over_several_lines_is_moved_whole(tmp_path: Path) -> None:
    text = 'CustomerID,Name\nA,"one\nline"\nB,"said ""so"""\nC,plain\n'
    path = tmp_path / "customers.csv"
    path.write_text(text)
    for seed in range(5):
        assert shuffle_lines(tmp_path, "northwind", random.Random(seed)) == 3
        shown = path.read_text()
        assert shown.startswith("CustomerID,Name\n")
        assert 'A,"one\nline"\n' in shown
        assert sorted(shown) == sorted(text)
