"""The exports of a plant: the same bytes for a seed, growing day by day, hard to see through."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.dry_run import dry_run
from connectors.encoding import encode_drafts
from connectors.mapping.loading import load_mapping
from connectors.mapping.values import Rejection
from hub.money import use_exact_arithmetic
from hub.settings import load_settings
from plant.documents import Shipment, ShipmentLine
from plant.generate import generate
from plant.parameters import FIRST_DAY, Parameters
from plant.systems import flaws
from plant.systems.erp import Erp
from plant.systems.exporting import Exporter
from plant.systems.numbers import Numbering
from plant.systems.telling import Told
from plant.systems.writing import NotThisPlant

CUSTOMERS, MONTHS, SEED = 60, 5, 3
MIDDLE = date(2024, 3, 13)
#: What goes wrong far more often than anywhere.
WILD = {
    "BROKEN": 0.2,
    "LATE": 0.12,
    "PARTS_LATE": 0.1,
    "MISTAKEN": 0.1,
    "DRAFTED": 0.1,
    "REPEATED": 0.1,
}
#: Where each system keeps customers: file stem, format of its files, number, name, registered on.
KEEPERS = {
    "erp": ("t_Organization", "gb18030", ",", "FNumber", "FName", "FRegDate"),
    "crm": ("Account", "utf-8", "", "Id", "Name", "CreatedDate"),
    "calls": ("directory", "big5", "|", "DirectoryNo", "CompanyName", "Since"),
    "service": ("Kunde", "cp1252", ";", "Kundennr", "Firma", "Angelegt"),
}


def grown(folder: Path, until: date | None = None, seed: int = SEED) -> Path:
    use_exact_arithmetic()
    generate(Parameters.of(CUSTOMERS, MONTHS, seed, until), folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    exports = folder / "exports"
    return {
        path.relative_to(exports).as_posix(): path.read_bytes()
        for path in exports.rglob("*")
        if path.is_file()
    }


def truth(folder: Path, table: str) -> list[Any]:
    text = (folder / "truth" / f"{table}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grown(tmp_path_factory.mktemp("plant") / "whole")


def test_same_seed_makes_the_same_bytes_and_another_seed_others(
    plant: Path, tmp_path: Path
) -> None:
    again, other = grown(tmp_path / "again"), grown(tmp_path / "other", seed=SEED + 1)

    assert contents(again) == contents(plant)
    for path in (plant / "truth").iterdir():
        assert (again / "truth" / path.name).read_bytes() == path.read_bytes()
    mine, theirs = contents(plant), contents(other)
    assert not [name for name in mine.keys() & theirs.keys() if mine[name] == theirs[name]]


def test_each_file_of_an_earlier_plant_begins_the_same_file_of_the_later_one(
    plant: Path, tmp_path: Path
) -> None:
    later = contents(plant)
    earlier = contents(grown(tmp_path / "earlier", MIDDLE))

    assert earlier
    assert {name for name, text in earlier.items() if not later[name].startswith(text)} == set()
    assert all(text.endswith(b"\n") for text in earlier.values())


def test_a_plant_that_is_there_grows_in_place(plant: Path, tmp_path: Path) -> None:
    folder = grown(tmp_path / "growing", date(2024, 1, 9))
    inodes = {path: path.stat().st_ino for path in (folder / "exports").rglob("*.csv")}
    config = folder / "headrace.yaml"
    config.write_text(config.read_text().replace("./var", "./elsewhere"))
    for until in (date(2024, 1, 10), date(2024, 2, 5), MIDDLE, None):
        grown(folder, until)

    assert contents(folder) == contents(plant)
    assert {path: path.stat().st_ino for path in inodes} == inodes
    settings = yaml.safe_load(config.read_text())
    assert settings["business_date"] == date(2024, 5, 31)
    assert settings["data"] == "./elsewhere"


def test_another_plant_or_an_earlier_day_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    folder = grown(tmp_path / "plant", MIDDLE)
    before = contents(folder)

    with pytest.raises(NotThisPlant, match="seed 3, not 4"):
        grown(folder, MIDDLE, seed=4)
    with pytest.raises(NotThisPlant, match="until 2024-03-13 already"):
        grown(folder, date(2024, 3, 12))
    assert contents(folder) == before


def test_a_file_that_somebody_changed_is_refused(tmp_path: Path) -> None:
    folder = grown(tmp_path / "plant", date(2024, 1, 5))
    path = folder / "exports" / "erp" / "t_ICItem_2024-01.csv"
    changed = path.read_bytes().replace(b"FNumber", b"Fnumber")
    path.write_bytes(changed)

    with pytest.raises(NotThisPlant, match=r"t_ICItem_2024-01\.csv is not the beginning"):
        grown(folder, date(2024, 1, 6))
    assert path.read_bytes() == changed


def test_the_truth_lies_beside_the_exports_and_names_what_is_in_them(plant: Path) -> None:
    names = {path.name for path in (plant / "truth").iterdir()}
    assert {"customers.jsonl", "demand.jsonl", "late_invoices.jsonl", "rejects.jsonl"} <= names
    assert not [name for name in contents(plant) if "truth" in name]
    erp = {row["FNumber"] for row in records(plant, "erp")}
    named = {
        member["id"]
        for each in truth(plant, "customers")
        for member in each["members"]
        if member["source"] == "erp"
    }
    assert len(erp) > 20
    assert erp - {""} <= named


def mapped(folder: Path) -> tuple[dict[str, set[tuple[str, str]]], set[tuple[str, str, str]]]:
    """The documents that the mappings make, and the rejections by (source, content, code)."""
    documents: dict[str, set[tuple[str, str]]] = {}
    rejected: set[tuple[str, str, str]] = set()
    settings = load_settings(folder / "headrace.yaml", {})
    for source in settings.sources:
        mapping = load_mapping(source.mapping, source.name, settings.company.zone)
        run = dry_run(mapping, source.reads)
        encoded = encode_drafts(run.drafts)
        for draft, result in zip(run.drafts, encoded, strict=True):
            if isinstance(result, Rejection):
                run.rejections.append(result)
            else:
                documents.setdefault(draft.document, set()).add((source.name, draft.id))
        rejected |= {(source.name, one.place, one.code) for one in run.rejections}
    return documents, rejected


def assert_mapped_as_told(plant: Path) -> None:
    documents, rejected = mapped(plant)
    totals = {one["type"]: one["count"] for one in truth(plant, "totals")}
    expected = {
        (one["source"], f"{one['file']}:{one['line']}", one["code"])
        for one in truth(plant, "rejects")
    }
    # A second delivery of a file repeats its rejects, and a notice of a change has no lines, which
    # a dry run minds and the hub, which makes no order of it, does not.
    notices = notice_places(plant)
    found = {one for one in rejected if "_again" not in one[1] and one[1] not in notices}

    assert found == expected
    assert {document: len(ids) for document, ids in documents.items()} == totals


def test_the_mappings_bring_back_everything_but_what_the_truth_says_is_broken(plant: Path) -> None:
    assert_mapped_as_told(plant)


@pytest.mark.parametrize("seed", range(1, 5))
def test_where_almost_everything_goes_wrong_the_truth_still_knows_what_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    for name, rate in WILD.items():
        monkeypatch.setattr(flaws, name, rate)
    folder = tmp_path / "plant"
    use_exact_arithmetic()
    generate(Parameters.of(40, 5, seed, date(2024, 5, 17)), folder)

    assert len(truth(folder, "rejects")) > 200
    assert_mapped_as_told(folder)


def notice_places(plant: Path) -> set[str]:
    return {
        f"{path.name}:{number}"
        for path in (plant / "exports" / "erp").glob("SEOrder_*")
        for number, line in enumerate(path.read_bytes().splitlines(), 1)
        if b",1007100,1," in line
    }


def test_records_are_broken_in_a_dozen_ways(tmp_path: Path) -> None:
    use_exact_arithmetic()
    folder = tmp_path / "plant"
    generate(Parameters.of(200, 8, SEED), folder)
    rejects = truth(folder, "rejects")

    assert len({one["what"] for one in rejects}) >= 12
    assert len({one["code"] for one in rejects}) >= 8
    assert {one["source"] for one in rejects} == {"erp", "crm", "mes", "calls", "service"}


def records(plant: Path, system: str) -> Iterator[dict[str, str]]:
    """The readable customer records of a system, in the order of their files."""
    stem, encoding, delimiter, *_ = KEEPERS[system]
    for path in sorted((plant / "exports" / system).glob(f"{stem}_????-??.*")):
        text = path.read_bytes().decode(encoding, "replace")
        if path.suffix == ".jsonl":
            for line in text.splitlines():
                try:
                    yield json.loads(line)
                except ValueError:
                    continue
        else:
            rows = csv.DictReader(io.StringIO(text), delimiter=delimiter)
            yield from (row for row in rows if None not in row and None not in row.values())


def known(plant: Path, system: str) -> dict[str, dict[str, str]]:
    number = KEEPERS[system][3]
    return {row[number]: row for row in records(plant, system) if row.get(number)}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    use_exact_arithmetic()
    folder = tmp_path_factory.mktemp("plant") / "large"
    generate(Parameters.of(400, 4, SEED), folder)
    return folder


PAIRS = list(combinations(KEEPERS, 2))


def same(folder: Path, one: str, other: str) -> list[tuple[str, str]]:
    """The true pairs of records of two systems."""
    pairs = []
    here, there = known(folder, one), known(folder, other)
    for customer in truth(folder, "customers"):
        members = [(each["source"], each["id"]) for each in customer["members"]]
        mine = [number for source, number in members if source == one and number in here]
        theirs = [number for source, number in members if source == other and number in there]
        pairs += [(mine[0], theirs[0])] if mine and theirs else []
    assert len(pairs) > 60
    return pairs


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_no_simple_cheat_finds_half_of_who_is_who(large: Path, one: str, other: str) -> None:
    pairs = same(large, one, other)
    here, there = known(large, one), known(large, other)
    (_, _, _, _, my_name, my_date), (_, _, _, _, their_name, their_date) = (
        KEEPERS[one],
        KEEPERS[other],
    )
    by_order = dict(zip(here, there, strict=False))
    digits = Counter(digits_of(number) for number in there)
    cheats = {
        "order": sum(by_order.get(mine) == theirs for mine, theirs in pairs),
        "digits": sum(
            digits_of(mine) == digits_of(theirs) and digits[digits_of(mine)] == 1
            for mine, theirs in pairs
        ),
        "dates": sum(
            day_of(here[mine][my_date]) == day_of(there[theirs][their_date])
            for mine, theirs in pairs
        ),
        "first words": sum(
            here[mine][my_name].split()[0].casefold()
            == there[theirs][their_name].split()[0].casefold()
            for mine, theirs in pairs
        ),
    }
    assert {name: found for name, found in cheats.items() if found >= len(pairs) / 2} == {}


def digits_of(number: str) -> str:
    return "".join(sign for sign in number if sign.isdigit())


def day_of(text: str) -> str:
    """A day as year, month, day, however it is written."""
    parts = text[:10].replace("/", "-").replace(".", "-").split("-")
    if len(parts[0]) == 4:
        return "".join(parts)
    return "".join([parts[2], parts[0], parts[1]] if "/" in text else parts[::-1])


def test_an_honest_matcher_has_something_to_go_by_for_most(large: Path) -> None:
    documents: dict[str, dict[str, Any]] = {}
    settings = load_settings(large / "headrace.yaml", {})
    for source in settings.sources:
        mapping = load_mapping(source.mapping, source.name, settings.company.zone)
        run = dry_run(mapping, source.reads)
        documents[source.name] = {str(each["id"]): each for each in run.bodies("customer")}
    linked = wanted = 0
    for customer in truth(large, "customers"):
        members = [
            documents[each["source"]].get(each["id"])
            for each in customer["members"]
            if each["source"] in documents
        ]
        present = [each for each in members if each is not None]
        for place, one in enumerate(present):
            others = [*present[:place], *present[place + 1 :]]
            if others:
                wanted += 1
                linked += any(share_something(one, other) for other in others)
    assert wanted > 300
    assert 0.6 < linked / wanted < 0.98


def share_something(one: dict[str, Any], other: dict[str, Any]) -> bool:
    references = [
        {"source": each["source"], "id": each["id"]} in [*some.get("same_as", [])]
        for each, some in ((one, other), (other, one))
    ]
    traits = [
        {each["tax_id"]} & {some["tax_id"]}
        for each, some in ((one, other),)
        if each.get("tax_id") and some.get("tax_id")
    ]
    for name in ("phones", "emails"):
        traits.append(
            {"".join(filter(str.isalnum, text))[-8:] for text in one.get(name, [])}
            & {"".join(filter(str.isalnum, text))[-8:] for text in other.get(name, [])}
        )
    return any(references) or any(traits)


def test_contradictions_name_two_records_that_disagree(large: Path) -> None:
    found = truth(large, "contradictions")
    assert any("credit limit" in one["what"] for one in found)
    for one in found:
        assert one["says"]
        if len(one["says"]) == 2:
            mine, theirs = (list(each.values())[2] for each in one["says"])
            assert mine != theirs


def test_a_line_that_was_struck_from_a_shipment_stays_with_nothing(tmp_path: Path) -> None:
    exporter = Exporter("erp", 1, tmp_path, Told())
    erp = Erp(exporter, Numbering(1), None)
    day, at = FIRST_DAY, datetime.combine(FIRST_DAY, time(9))
    lines = tuple(ShipmentLine(number, 1, number, 1, Decimal(4)) for number in (10, 20))
    planned = Shipment(1, 1, lines, None, day, None, None, "DHL", None, "planned")
    for shipment in (planned, replace(planned, lines=lines[1:])):
        erp.take(shipment, at)
        erp.end_day(day)
        day += timedelta(days=1)
    exporter.finish()

    text = (tmp_path / "erp" / "ICStockBillEntry_2024-01.csv").read_text(encoding="gb18030")
    entries = [(row["FEntryID"], row["FAuxQty"]) for row in csv.DictReader(io.StringIO(text))]
    assert entries == [("10", "4.0000"), ("20", "4.0000"), ("20", "4.0000"), ("10", "0.0000")]
