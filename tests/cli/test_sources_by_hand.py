"""``headrace sources`` and ``headrace doctor``, run on a small shop as a person would."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cli.shop import MAPPING, Shop, opened_shop, until

pytestmark = pytest.mark.stack

TOTALS = """\
document,period,currency,count,sum
invoice,2026-01,EUR,1,154.11
invoice,2026-03,EUR,1,120.00
"""
DOCUMENTS = """\
document,id,date,currency,amount
invoice,20,2026-01-10,EUR,154.11
invoice,23,2026-03-20,EUR,119.50
invoice,24,2026-03-21,EUR,1.00
"""
OLDER = "id,customer,day,kind,cancels,net,gross\n30,1,2026-01-10,I,,10.00,11.90\n"


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with opened_shop() as opened:
        opened.write(mapping=MAPPING.replace("{from: invoices.csv, key: id}", DATED))
        ran = opened.run("up", "--until-idle")
        assert ran.status == 0, ran.err
        yield opened


DATED = '{from: "invoices*.csv", key: id, changed: day, version: date}'


def test_reconcile_finds_the_totals_that_differ_and_the_documents_that_are_held(shop: Shop) -> None:
    (shop.folder / "totals.csv").write_text(TOTALS)
    ran = shop.run("sources", "reconcile", "till", "--totals", "totals.csv", "--json")
    assert ran.status == 1
    january, march = ran.answer["totals"]
    assert january["agrees"] and january["held"] == {"count": 1, "sum": "154.11"}
    assert not march["agrees"] and march["held"] == {"count": 1, "sum": "119.00"}
    assert [(one["kind"], one["id"]) for one in ran.answer["differences"]] == [("unnamed", "23")]


def test_reconcile_names_each_document_that_is_missing_or_different(shop: Shop) -> None:
    (shop.folder / "list.csv").write_text(DOCUMENTS)
    ran = shop.run("sources", "reconcile", "till", "--totals", "list.csv", "--json")
    assert ran.status == 1
    found = {one["id"]: (one["kind"], one["by"]) for one in ran.answer["differences"]}
    assert found == {"23": ("different", "-0.50"), "24": ("missing", "-1.00")}
    table = shop.run("sources", "reconcile", "till", "--totals", "list.csv")
    assert "Documents that differ (2)" in table.out


def test_reconcile_refuses_a_file_that_states_nothing_usable(shop: Shop) -> None:
    (shop.folder / "wrong.csv").write_text("document,month\ninvoice,2026-01\n")
    ran = shop.run("sources", "reconcile", "till", "--totals", "wrong.csv")
    assert ran.status == 2
    assert "unknown column month" in ran.err
    assert shop.run("sources", "reconcile", "till").status == 2


def test_cursor_shows_how_far_files_were_read_and_is_set_only_after_yes(shop: Shop) -> None:
    before = {one["unit"]: one for one in shop.ask("sources", "cursor", "till")["cursors"]}
    assert before["orders.csv"]["reached"].startswith("line 4, byte ")
    refused = shop.run("sources", "cursor", "till", "--set", "orders.csv=start")
    assert refused.status == 1
    unknown = shop.run("sources", "cursor", "till", "--set", "nothing.csv=start", "--yes")
    assert unknown.status == 2 and "orders.csv" in unknown.err
    after = shop.ask("sources", "cursor", "till", "--set", "orders.csv=start", "--yes")
    assert "orders.csv" not in {one["unit"] for one in after["cursors"]}
    (report,) = shop.ask("sources", "run", "till")["sources"]
    assert (report["read"], report["published"], report["repeated"]) == (2, 0, 2)


def test_paused_source_is_passed_over_until_it_is_resumed(shop: Shop) -> None:
    assert shop.run("sources", "pause", "till").out == "till is paused.\n"
    (listed,) = shop.ask("sources", "list")["sources"]
    assert listed["paused_at"]
    ran = shop.run("sources", "run", "till")
    assert ran.status == 1 and "till is paused" in ran.err
    assert shop.run("up", "--until-idle").status == 0
    shop.run("sources", "resume", "till")
    assert shop.run("sources", "run", "till").status == 0


def test_unknown_source_is_told_with_the_known_ones(shop: Shop) -> None:
    for command in (
        ["pause"],
        ["cursor"],
        ["backfill", "--from", "2026-01-01", "--to", "2026-01-02"],
    ):
        ran = shop.run("sources", command[0], "tilt", *command[1:])
        assert ran.status == 2
        assert "there are: till" in ran.err


def test_hub_that_is_up_obeys_pause_and_takes_a_backfill_beside_it(shop: Shop) -> None:
    def read() -> int:
        journal = shop.folder / "var/run/sources.json"
        if not journal.exists():
            return 0
        return int(json.loads(journal.read_text())["sources"][0]["read"])

    def sums() -> str:
        return str(shop.ask("show", "receivables")["total"]["outstanding"])

    with shop.up() as hub:
        assert hub.stdout is not None
        until(lambda: "is up" in hub.stdout.readline())
        shop.append("customers.csv", "3,Carl,Ulm\n")
        until(lambda: read() == 1)
        doctor = shop.run("doctor", "--json")
        assert doctor.status == 0, doctor.out
        states = {one["part"]: one["state"] for one in doctor.answer["findings"]}
        assert states["database"] == states["Kafka"] == states["topics"] == "ok"
        assert states["tables"] == states["retention"] == states["source till"] == "ok"
        assert states["clock of the database"] == "ok"
        shop.run("sources", "pause", "till")
        shop.append("customers.csv", "4,Dora,Bonn\n")
        with pytest.raises(AssertionError):
            until(lambda: read() == 2, seconds=4)
        shop.run("sources", "resume", "till")
        until(lambda: read() == 2)
        # A line that an export lacked is put into the past, and only a backfill looks there.
        before = sums()
        exports = shop.folder / "exports"
        (exports / "invoices.csv").rename(shop.folder / "invoices.csv")
        (exports / "invoices-2026.csv").write_text(OLDER)
        ran = shop.run(
            *("sources", "backfill", "till", "--from", "2026-01-01", "--to", "2026-01-31"), "--json"
        )
        assert ran.status == 0, ran.err
        assert ran.answer["rejected"] == 0
        until(lambda: sums() != before)


def test_doctor_says_what_to_do_and_starts_nothing(shop: Shop) -> None:
    ran = shop.run("doctor", "--json")
    assert ran.status == 0, ran.out
    states = {one["part"]: one["state"] for one in ran.answer["findings"]}
    assert states["database"] == states["Kafka"] == "unknown"
    (shop.folder / "exports").rename(shop.folder / "away")
    broken = shop.run("doctor", "--json")
    (shop.folder / "away").rename(shop.folder / "exports")
    assert broken.status == 1
    (failed,) = [one for one in broken.answer["findings"] if one["state"] == "failed"]
    assert failed["part"] == "source till" and "no such file or folder" in failed["found"]
    assert failed["do"]


def test_doctor_tells_of_a_configuration_that_cannot_be_used(shop: Shop) -> None:
    wrong = shop.folder / "wrong.yaml"
    wrong.write_text("company: {name: A, base_currency: EURO, time_zone: Europe/Berlin}\n")
    ran = shop.run("doctor", "--config", str(wrong), "--json")
    assert ran.status == 1
    (finding,) = ran.answer["findings"]
    assert finding["part"] == "configuration" and "base_currency" in finding["found"]
