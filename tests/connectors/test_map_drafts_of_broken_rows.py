"""A few broken values change nothing in a draft but a comment that names them."""

from __future__ import annotations

import pytest

from connectors.drafting.draft import draft_mapping
from connectors.drafting.samples import samples_of
from tests.connectors.test_map_drafts import rows

HEAD = (
    "countryCode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,"
    "Disputed,SettledDate"
)
#: Forty invoices; every second one is paid.
CLEAN = [
    f"391,C-{row % 7},4/{row % 28 + 1}/2025,{7000 + row},5/{row % 28 + 1}/2026,"
    f"6/{row % 28 + 1}/2026,{row + 20}.50,No,{f'7/{row % 28 + 1}/2026' if row % 2 else ''}"
    for row in range(40)
]


def draft(lines: list[str]) -> str:
    records = rows("\n".join([HEAD, *lines]) + "\n")
    places = [f"line {number}" for number in range(2, len(records) + 2)]
    return draft_mapping("sample", records, ["invoice", "payment"], places).text


def broken(column: str, values: dict[int, str]) -> list[str]:
    """The clean rows with other values of a column in some lines."""
    place = HEAD.split(",").index(column)
    lines = list(CLEAN)
    for number, value in values.items():
        cells = lines[number - 2].split(",")
        cells[place] = value
        lines[number - 2] = ",".join(cells)
    return lines


def without_comments(text: str) -> list[str]:
    return [line.partition("   #")[0] for line in text.splitlines()]


@pytest.mark.parametrize(
    ("column", "values", "said", "times"),
    [
        ("InvoiceDate", {7: "2/30/2026"}, "1 of 40 values is no date: '2/30/2026' (line 7)", 2),
        ("DueDate", {13: "13/45/2026"}, "1 of 40 values is no date: '13/45/2026' (line 13)", 1),
        ("InvoiceAmount", {19: "NaN"}, "1 of 40 values is no number: 'NaN' (line 19)", 5),
        (
            "InvoiceAmount",
            {19: "NaN", 25: "NaN"},
            "2 of 40 values are no number: 'NaN' (line 19)",
            5,
        ),
        ("SettledDate", {31: "9/31/2026"}, "1 of 20 values is no date: '9/31/2026' (line 31)", 2),
    ],
)
def test_a_broken_value_leaves_the_draft_as_it_is_and_is_named(
    column: str, values: dict[int, str], said: str, times: int
) -> None:
    found = draft(broken(column, values))
    assert without_comments(found) == without_comments(draft(CLEAN))
    assert found.count(said) == times
    assert sum(f"{column}" in line and said in line for line in found.splitlines()) == times


def test_the_column_with_the_best_name_is_asked_for_and_not_passed_over() -> None:
    found = draft(broken("InvoiceDate", dict.fromkeys(range(2, 12), "soon")))
    said = "TODO   # InvoiceDate is called so, but 10 of 40 values are no date: 'soon' (line 2)"
    assert f"    invoiced_on: {said}" in found
    assert f"    occurred_at: {said}" in found
    assert "{date: PaperlessDate" not in found
    due = draft(broken("DueDate", dict.fromkeys(range(2, 12), "soon")))
    assert "      due_on: TODO   # DueDate is called so, but 10 of 40" in due
    settled = draft(broken("SettledDate", dict.fromkeys(range(3, 31, 2), "soon")))
    assert "  when: {not_empty: SettledDate}" in settled
    assert "received_on: TODO   # SettledDate is called so, but" in settled


def test_the_limit_is_two_values_or_5_percent_and_never_half() -> None:
    for count, taken in ((2, True), (3, False)):
        lines = broken("InvoiceDate", dict.fromkeys(range(2, 2 + count), "soon"))
        assert ("invoiced_on: {date: InvoiceDate" in draft(lines)) is taken
    assert "invoiced_on: {date: InvoiceDate" in draft(broken("InvoiceDate", {2: "soon"})[:3])
    assert "invoiced_on: TODO   # InvoiceDate" in draft(broken("InvoiceDate", {2: "soon"})[:2])


def test_a_sample_knows_the_line_of_each_record(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("exports")
    (folder / "a.csv").write_text("id,name\n1,A\n\n2,B\n", encoding="utf-8")
    assert samples_of(str(folder / "a.csv")).places == ["line 2", "line 4"]
    (folder / "b.csv").write_text("id,name\n3,C\n", encoding="utf-8")
    assert samples_of(str(folder)).places == ["a.csv:2", "a.csv:4", "b.csv:2"]
