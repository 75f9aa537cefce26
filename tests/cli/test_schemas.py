"""``headrace schemas`` as a person uses it: against the hub's own registry and the checkout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import TOPICS
from tests.cli.shop import CONFIG, Shop, opened_shop
from tests.schemas.schema_pairs import record

pytestmark = pytest.mark.stack

GAME = record(("id", "long"), name="Game", namespace="com.acme")


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with opened_shop() as shop:
        yield shop


def schema_file(shop: Shop, name: str, schema: Any) -> str:
    path: Path = shop.folder / name
    path.write_text(json.dumps(schema), encoding="utf-8")
    return str(path)


def test_the_contracts_of_the_checkout_are_checked_without_a_hub(shop: Shop) -> None:
    ran = shop.run("schemas", "check", "--json", "--config", "nowhere.yaml")
    assert ran.status == 0, ran.err
    answer = json.loads(ran.out)
    assert answer["contracts"] == len(TOPICS)
    assert answer["problems"] == []
    assert not (shop.folder / "var").exists()


def test_a_schema_is_registered_under_its_name_checked_and_listed(shop: Shop) -> None:
    first = schema_file(shop, "game.avsc", GAME)
    ran = shop.run("schemas", "register", first, "--json")
    assert json.loads(ran.out) == {"subject": "com.acme.Game", "id": 100_000}, ran.err

    grown = record(*GAME["fields"], ("mood", "string"), name="Game", namespace="com.acme")
    ran = shop.run("schemas", "check", schema_file(shop, "grown.avsc", grown), "--json")
    assert ran.status == 1
    answer = json.loads(ran.out)
    assert (answer["subject"], answer["compatible"]) == ("com.acme.Game", False)
    assert "at /mood the writer lacks the field" in answer["messages"][0]

    ran = shop.run("schemas", "register", str(shop.folder / "grown.avsc"))
    assert ran.status == 1
    assert "incompatible with an earlier schema" in ran.err
    assert "Traceback" not in ran.err

    ran = shop.run("schemas", "check", str(shop.folder / "grown.avsc"), "--subject", "new-value")
    assert ran.status == 0
    assert "may follow" in ran.out

    rows = {
        row["subject"]: row for row in json.loads(shop.run("schemas", "list", "--json").out)["rows"]
    }
    assert rows["com.acme.Game"]["id"] == 100_000
    assert rows["finance.invoice.v1-value"]["id"] == 107
    assert rows["finance.invoice.v1-value"]["contract"] is True


def test_a_file_with_a_contract_s_name_is_held_against_the_contract(shop: Shop) -> None:
    invoice = TOPICS["finance.invoice.v1"].schema
    without = {**invoice, "fields": invoice["fields"][1:]}
    ran = shop.run("schemas", "check", schema_file(shop, "invoice.avsc", without))
    assert ran.status == 1
    assert "Version 1 cannot read the new schema: at /version" in ran.out


def test_what_cannot_be_used_is_told_in_a_sentence(shop: Shop) -> None:
    broken = schema_file(shop, "broken.avsc", {"type": "recrd", "name": "A"})
    ran = shop.run("schemas", "check", broken)
    assert ran.status != 0
    assert "not an Avro schema" in ran.err and "Traceback" not in ran.err
    nameless = schema_file(shop, "nameless.avsc", "string")
    assert "--subject" in shop.run("schemas", "check", nameless).err
    assert "cannot be read" in shop.run("schemas", "register", "nowhere.avsc").err
    assert "no topic 'sales'" in shop.run("schemas", "release", "sales").err


def test_an_outside_registry_that_is_away_stops_the_start_with_a_sentence(shop: Shop) -> None:
    shop.write(config=CONFIG + "registry: http://hub:${REGISTRY_PASSWORD}@127.0.0.1:1\n")
    ran = shop.run("up", "--until-idle")
    assert ran.status == 2 and "REGISTRY_PASSWORD has to be set" in ran.err
    shop.write(config=CONFIG + "registry: http://hub:secret@127.0.0.1:1\n")
    ran = shop.run("up", "--until-idle")
    assert ran.status == 1
    assert "The registry http://127.0.0.1:1 does not answer" in ran.err
    assert "secret" not in ran.err
    shop.write(config=CONFIG + "registry: 127.0.0.1:1/secret\n")
    ran = shop.run("schemas", "list")
    assert ran.status == 2 and "registry: found" in ran.err and "secret@" not in ran.err
