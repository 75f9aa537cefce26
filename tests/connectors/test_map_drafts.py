"""A draft of unknown records loads, runs and says what it could not know."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from connectors.drafting.columns import columns_of, usual_order
from connectors.drafting.draft import Drafted, draft_mapping
from connectors.drafting.matching import matched
from connectors.drafting.naming import vocabulary
from connectors.dry_run import DryRun, dry_run_of, held_against_contracts
from connectors.mapping import MappingError, parse_mapping
from connectors.mapping.contract import contract_of, document_types
from connectors.portions import Origin, Portion
from schemas.closed_sets import CLOSED_SETS

RECEIVABLES = """\
countryCode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate,PaperlessBill,DaysToSettle,DaysLate
391,4417-KRUGA,4/6/2025,611365,1/2/2026,2/1/2026,55.94,No,1/15/2026,Paper,13,0
406,8976-LINDE,3/3/2025,790077,1/26/2026,2/25/2026,61.74,Yes,,Electronic,,
"""
PIPELINE = """\
opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value
K1,Mira Sandberg,MX 210,Krugmann Bau,Won,2026-10-20,2027-03-01,1054.0
K2,Jonas Petri,MX 400,Isarwerke,Lost,2026-10-25,2027-03-11,0
K3,Jonas Petri,MX 400,Krugmann Bau,Engaging,2026-10-25,,
K4,Jonas Petri,MX 400,,Prospecting,,,
"""
GERMAN = """\
Rechnungsnr;Kunde;Rechnungsdatum;Fälligkeitsdatum;Nettobetrag;Bruttobetrag;Währung;Status
R-1;K-7;31.01.2026;02.03.2026;1.234,50;1.469,06;EUR;offen
R-2;K-8;01.02.2026;03.03.2026;10,00;11,90;EUR;storniert
"""
CHINESE = """\
订单号,客户,下单日期,产品编码,数量,金额,状态
A1,华东机械,2026年3月1日,P-1,5,1200.50,新
A2,华东机械,2026年3月9日,P-2,7,900,已完成
"""


def rows(text: str) -> list[dict[str, str]]:
    delimiter = ";" if ";" in text.split("\n")[0] else ","
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def drafted(text: str, *documents: str) -> Drafted:
    return draft_mapping("sample", rows(text), documents)


def run(draft: Drafted, text: str, **answers: str) -> DryRun:
    """What the draft makes of the records, once each TODO is filled in."""
    filled = draft.text
    for place, answer in answers.items():
        assert f"{place}: TODO" in filled
        filled = filled.replace(f"{place}: TODO", f"{place}: {answer}")
    mapping = parse_mapping(filled, "erp")
    (stream,) = mapping.streams.values()
    portion = Portion(Origin("sample.csv", stream), list(enumerate(rows(text), 2)))
    return held_against_contracts(dry_run_of(mapping, [portion]))


def plain(body: dict[str, Any], *names: str) -> list[str]:
    return [str(body[name]) for name in names]


def entries(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body[name]
    return found


def test_invoices_that_may_be_paid_become_invoices_and_payments_with_one_answer() -> None:
    ran = run(drafted(RECEIVABLES, "invoice", "payment"), RECEIVABLES, currency="USD")
    assert ran.rejections == []
    first, second = ran.bodies("invoice")
    assert plain(first, "id", "gross", "invoiced_on") == ["611365", "55.94", "2026-01-02"]
    assert first["customer"] == {"source": "erp", "id": "4417-KRUGA"}
    assert [str(one["due_on"]) for one in entries(second, "instalments")] == ["2026-02-25"]
    (payment,) = ran.bodies("payment")
    assert plain(payment, "id", "amount", "received_on") == ["611365", "55.94", "2026-01-15"]
    assert [one["invoice"]["id"] for one in entries(payment, "allocations")] == ["611365"]


def test_opportunities_become_opportunities_and_customers_with_one_answer() -> None:
    ran = run(drafted(PIPELINE, "opportunity", "customer"), PIPELINE, currency="USD")
    assert ran.rejections == []
    stages = [one["stage"] for one in ran.bodies("opportunity")]
    assert stages == ["won", "lost", "qualify", "identify"]
    assert {one["name"] for one in ran.bodies("customer")} == {"Krugmann Bau", "Isarwerke"}


def test_german_names_dates_and_amounts_are_known() -> None:
    ran = run(drafted(GERMAN, "invoice"), GERMAN)
    assert ran.rejections == []
    first, second = ran.bodies("invoice")
    assert plain(first, "net", "gross", "invoiced_on") == ["1234.50", "1469.06", "2026-01-31"]
    assert (first["status"], second["status"]) == ("posted", "cancelled")


def test_chinese_names_and_dates_are_known() -> None:
    ran = run(drafted(CHINESE, "order"), CHINESE, currency="CNY")
    assert ran.rejections == []
    first, _ = ran.bodies("order")
    assert plain(first, "ordered_on", "status") == ["2026-03-01", "open"]
    assert [str(line["quantity"]) for line in entries(first, "lines")] == ["5"]


def test_dates_that_may_be_read_both_ways_are_left_to_a_person() -> None:
    text = (
        "invoice_no,customer,invoice_date,amount,currency\n1,C,1/2/2026,5,EUR\n2,C,3/4/2026,6,EUR\n"
    )
    draft = drafted(text, "invoice")
    (line,) = [line for line in draft.text.splitlines() if "invoiced_on:" in line]
    assert "format: TODO" in line
    assert '1/2/2026 is "%d/%m/%Y" or "%m/%d/%Y"' in line
    with pytest.raises(MappingError) as error:
        parse_mapping(draft.text, "erp")
    assert [one.message.partition(" is ")[0] for one in error.value.problems] == [
        "TODO: 1/2/2026",
        "TODO: 1/2/2026",
    ], "each place once: occurred_at and invoiced_on"


def test_a_value_of_a_closed_set_that_nobody_knows_is_left_to_a_person() -> None:
    draft = drafted(PIPELINE.replace("Prospecting", "Stage 7"), "opportunity")
    assert "Stage 7: TODO" in draft.text
    with pytest.raises(MappingError, match="allowed: develop, identify, lost"):
        parse_mapping(draft.text.replace("currency: TODO", "currency: EUR"), "erp")


def test_a_field_that_no_column_can_fill_is_left_to_a_person() -> None:
    with pytest.raises(MappingError) as error:
        parse_mapping(drafted("a,b\n1,x\n2,y\n", "invoice").text, "erp")
    places = {one.path: one.message for one in error.value.problems}
    assert "such as {reference: COLUMN}" in places["events[0].fields.customer"]
    assert places["events[0].fields.gross"].startswith("TODO: a decimal number")


def test_columns_that_nothing_uses_are_named() -> None:
    draft = drafted(RECEIVABLES, "invoice")
    assert "SettledDate" in draft.unused
    assert "# Columns that nothing uses: countryCode, PaperlessDate, Disputed" in draft.text


def test_the_column_of_changes_becomes_the_version() -> None:
    text = "customer no,name,LastModifiedDate\n1,A,2026-01-01T10:00:00Z\n2,B,2026-01-02T11:00:00Z\n"
    draft = drafted(text, "customer")
    assert "    version: precise" in draft.text
    (first, _) = run(draft, text).drafts
    assert first.precise


def test_the_key_is_a_column_that_never_repeats_or_two_together() -> None:
    text = "currency,base,valid from,rate\nUSD,EUR,2026-01-01,0.9\nUSD,EUR,2026-01-02,0.91\n"
    draft = drafted(text, "rate")
    assert "key: [currency, valid from]" in draft.text
    repeated = "order no,amount\n1,5\n1,6\n"
    assert "# repeats: 1 values in 2 records" in drafted(repeated, "order").text


@pytest.mark.parametrize("document", document_types())
def test_a_draft_of_any_type_is_yaml_and_says_what_it_lacks(document: str) -> None:
    draft = drafted("x y,[odd],/path,$sign,yes\n1,2,3,4,5\n", document)
    try:
        parse_mapping(draft.text, "erp")
    except MappingError as error:
        assert all("TODO" in one.message for one in error.problems), error
        assert len(error.problems) == draft.todos


@pytest.mark.parametrize(
    ("values", "formats"),
    [
        (["2026-01-31"], [""]),
        (["20260131"], ["%Y%m%d"]),
        (["31.1.2026", "1.2.2026"], ["%d.%m.%Y"]),
        (["1/2/2026", "3/4/2026"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["1/2/2026", "1/13/2026"], ["%m/%d/%Y"]),
        (["13/1/26"], ["%d/%m/%y"]),
        (["5-Jan-2026"], ["%d-%b-%Y"]),
        (["12345678"], []),
        (["2026-02-30"], []),
        (["soon"], []),
        ([], []),
    ],
)
def test_the_format_of_dates_is_found_over_all_values(
    values: list[str], formats: list[str]
) -> None:
    assert columns_of([{"a": value} for value in values] or [{"a": None}])[0].days == formats


@pytest.mark.parametrize(
    ("values", "styles"),
    [
        (["1", "22"], [(".", "")]),
        (["1.5", "22"], [(".", "")]),
        (["1,5"], [(",", "")]),
        (["1,234.50"], [(".", ",")]),
        (["1.234,50-"], [(",", ".")]),
        (["1,234", "999"], [(",", ""), (".", ",")]),
        (["1.234"], [(".", ""), (",", ".")]),
        (["12a"], []),
        ([], []),
    ],
)
def test_how_numbers_are_written_is_found_and_what_is_open_stays_open(
    values: list[str], styles: list[tuple[str, str]]
) -> None:
    assert columns_of([{"a": value} for value in values] or [{"a": None}])[0].numbers == styles


def test_one_column_shows_the_order_of_day_and_month_of_the_others() -> None:
    columns = columns_of([{"a": "1/2/2026", "b": "1/26/2026"}])
    assert usual_order(columns) == "%m"
    assert usual_order(columns[:1]) is None


def test_names_alone_do_not_match_values_of_another_type() -> None:
    columns = columns_of([{"engage date": "soon", "close value": "a lot", "account": "C-1"}])
    assert set(matched("opportunity", contract_of("opportunity"), columns)) == {"customer"}


def test_the_vocabulary_names_fields_and_words_of_the_contracts_alone() -> None:
    words = vocabulary()
    known = {
        name
        for document in document_types()
        for field, wanted in contract_of(document).items()
        for name in (field, *wanted.fields)
    }
    assert set(words.fields) <= known
    for document, fields in words.words.items():
        for field, meanings in fields.items():
            assert set(meanings) == CLOSED_SETS[document, field]
    for document, values in words.constants.items():
        assert all(value in CLOSED_SETS[document, field] for field, value in values.items())
    for by_document in (words.dated, words.only_if):
        assert all(field in contract_of(document) for document, field in by_document.items())
