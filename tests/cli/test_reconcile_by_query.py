"""``headrace sources reconcile NAME --query``: a source's own database states what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.shop import Ran, Shop
from tests.connectors.sources import mapping
from tests.connectors.tables import TableSource, source_url
from tests.oracle.generate import Event
from tests.streams.ledger import Ledger

pytestmark = pytest.mark.stack

__all__ = ["source_url"]

CONFIG = """\
company: {{name: Shop, base_currency: EUR, time_zone: Europe/Berlin}}
database: "{database}"
sources:
  - {{name: sample, kind: database, url: "{url}", mapping: erp.yaml}}
  - {{name: till, kind: files, path: ., mapping: erp.yaml}}
"""
MAPPING = """\
defaults: {tz: Europe/Berlin, currency: EUR}
streams: {bill: {from: invoices, key: no, table: {compare: true}}}
events:
  - emit: invoice
    from: bill
    key: no
    fields:
      occurred_at: {datetime: {date: day}}
      customer: {reference: customer}
      kind: {const: invoice}
      invoiced_on: {date: day}
      net: {decimal: gross}
      gross: {decimal: gross}
      currency: currency
      status: {const: posted}
"""
TABLE = (
    "CREATE TABLE invoices (no varchar(9) PRIMARY KEY, customer varchar(9), day date,"
    " currency varchar(3), gross numeric(15, 2))"
)
#: Fractions such as 0.1 + 0.2, which are no 0.3 where a database adds in binary.
INVOICES = """
    INSERT INTO invoices VALUES
    ('1', 'C', '2026-01-05', 'EUR', 0.1), ('2', 'C', '2026-01-31', 'EUR', 0.2),
    ('3', 'C', '2026-01-31', 'USD', 70), ('4', 'D', '2026-02-01', 'EUR', 12345.67),
    ('5', 'D', '2026-02-28', 'EUR', 99.99), ('6', 'D', '2026-03-31', 'EUR', 1)
"""
#: By dialect, for a colon and a percent sign in a query are nobody's but the query's.
MONTHS = {"postgresql": "to_char(day, 'YYYY-MM')", "sqlite": "strftime('%Y-%m', day)"}
DOCUMENTS = (
    "SELECT 'invoice' AS document, no AS id, day AS date, currency, gross AS amount FROM invoices"
    " WHERE currency <> ':none' AND no NOT LIKE '%x'"
)


@dataclass(frozen=True, slots=True)
class Books:
    """A source's database with invoices, a hub that holds them, and the command on both."""

    source: TableSource
    shop: Shop
    month: str

    def totals(self, *more: str) -> Ran:
        """Reconcile with count and sum of each month and currency."""
        return self.reconcile(
            f"SELECT 'invoice' AS document, {self.month} AS period, currency, count(*) AS count,"
            f" sum(gross) AS sum FROM invoices GROUP BY {self.month}, currency ORDER BY 2, 3",
            *more,
        )

    def reconcile(self, query: str, *more: str, source: str = "sample") -> Ran:
        """Reconcile with what a query states."""
        return self.shop.run("sources", "reconcile", source, "--query", query, *more)

    def spoil(self) -> None:
        """Let the source say of a document each what the hub does not hold."""
        self.source.execute("DELETE FROM invoices WHERE no = '2'")
        self.source.execute("UPDATE invoices SET gross = 12345.60 WHERE no = '4'")
        self.source.execute("INSERT INTO invoices VALUES ('7', 'D', '2026-02-14', 'EUR', 5.5)")


@pytest.fixture(params=sorted(MONTHS))
def books(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Books]:
    postgresql = request.param == "postgresql"
    erp = f"sqlite:///{tmp_path / 'erp.db'}"
    url = request.getfixturevalue("source_url") if postgresql else erp
    source = TableSource(database_url, url, mapping(MAPPING))
    source.execute(TABLE)
    source.execute(INVOICES)
    assert source.run().published == 6
    ledger = Ledger(database_url)
    ledger.apply(*(Event(one.topic, one.key, 0, one.value) for one in source.log.records))
    ledger.close()
    (tmp_path / "erp.yaml").write_text(MAPPING)
    (tmp_path / "headrace.yaml").write_text(CONFIG.format(database=database_url, url=url))
    yield Books(source, Shop(tmp_path), MONTHS[request.param])
    assert not (tmp_path / "var" / "kafka").exists(), "no broker is needed"


def test_totals_of_each_month_and_currency_agree_with_what_the_hub_holds(books: Books) -> None:
    ran = books.totals("--json")
    assert ran.status == 0, ran.err or ran.out
    assert ran.answer["agrees"] and ran.answer["differences"] == []
    found = [(one["period"], one["currency"], one["stated"]) for one in ran.answer["totals"]]
    assert found == [
        ("2026-01", "EUR", {"count": 2, "sum": "0.30"}),
        ("2026-01", "USD", {"count": 1, "sum": "70.00"}),
        ("2026-02", "EUR", {"count": 2, "sum": "12445.66"}),
        ("2026-03", "EUR", {"count": 1, "sum": "1.00"}),
    ]
    assert [one["held"] for one in ran.answer["totals"]] == [one[2] for one in found]


def test_totals_that_differ_name_the_documents_that_the_hub_holds_in_them(books: Books) -> None:
    books.spoil()
    ran = books.totals("--json")
    assert ran.status == 1
    agreeing = {(one["period"], one["currency"]): one["agrees"] for one in ran.answer["totals"]}
    assert agreeing == {
        ("2026-01", "EUR"): False,
        ("2026-01", "USD"): True,
        ("2026-02", "EUR"): False,
        ("2026-03", "EUR"): True,
    }
    january, february = [one for one in ran.answer["totals"] if not one["agrees"]]
    assert (january["stated"], january["held"]) == (
        {"count": 1, "sum": "0.10"},
        {"count": 2, "sum": "0.30"},
    )
    assert (february["stated"], february["held"]) == (
        {"count": 3, "sum": "12451.09"},
        {"count": 2, "sum": "12445.66"},
    )
    found = [(one["kind"], one["id"]) for one in ran.answer["differences"]]
    assert found == [("unnamed", no) for no in ("1", "2", "4", "5")]


def test_documents_are_found_that_are_missing_here_or_there_or_have_another_amount(
    books: Books,
) -> None:
    books.spoil()
    ran = books.reconcile(DOCUMENTS, "--json")
    assert ran.status == 1
    found = {one["id"]: (one["kind"], one["by"]) for one in ran.answer["differences"]}
    assert found == {"2": ("extra", "0.20"), "4": ("different", "0.07"), "7": ("missing", "-5.50")}
    months = {(one["period"], one["currency"]): one["agrees"] for one in ran.answer["totals"]}
    assert [period for period, agrees in sorted(months.items()) if not agrees] == [
        ("2026-01", "EUR"),
        ("2026-02", "EUR"),
    ]


def test_query_that_cannot_be_asked_or_used_is_told_and_changes_nothing(books: Books) -> None:
    for query, said in (
        ("DELETE FROM invoices RETURNING no", "sample: "),
        ("SELECT no FROM invoices", "the query, row 1: unknown column no"),
        ("SELECT 'invoice' AS document, no AS id FROM invoices WHERE no = ''", "states nothing"),
    ):
        ran = books.reconcile(query)
        assert ran.status == 2, query
        assert said in ran.err and "Traceback" not in ran.err
    ran = books.reconcile(DOCUMENTS, source="till")
    assert ran.status == 2 and "till is no database: give its totals as a file" in ran.err
    agreeing = books.reconcile(DOCUMENTS)
    assert agreeing.status == 0, agreeing.err or "something was deleted"
