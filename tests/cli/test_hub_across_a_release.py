"""A hub with documents of a contract's first version goes on with a release that has a second."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.api.doors import ROOT
from tests.cli.shop import MAPPING, Shop, opened_shop

pytestmark = pytest.mark.stack

NAME = "finance.invoice.v1"
MOOD = {"name": "mood", "type": ["null", "string"], "default": None, "doc": "How it was paid."}
VIEWS = (("show", "customers"), ("show", "demand"), ("show", "receivables"))
WITH_MOOD = MAPPING.replace(
    "      gross: {decimal: gross}\n",
    "      gross: {decimal: gross}\n"
    "      mood: {case: [{if: {equals: [id, 26]}, then: {const: glad}}]}\n",
)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with opened_shop() as opened:
        yield opened


def second_release(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the commands that follow run with contracts that a later release could have."""
    schemas = folder / "schemas"
    shutil.copytree(str(files("schemas")), schemas)
    path = schemas / "avro" / f"{NAME}.avsc"
    contract = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**contract, "fields": [*contract["fields"], MOOD]}, indent=2))
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{ROOT}")


def views(shop: Shop) -> list[dict[str, Any]]:
    return [shop.ask(*view) for view in VIEWS]


def invoice(shop: Shop, number: int) -> dict[str, Any]:
    (found,) = shop.ask("show", "documents", "invoice", "--key", f"till|{number}")["rows"]
    return dict(found)


@pytest.mark.timeout(600)
def test_documents_of_both_versions_stand_beside_each_other(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.run("up", "--until-idle").status == 0
    before, counts = views(shop), shop.ask("status")["documents"]
    assert "mood" not in invoice(shop, 20)

    second_release(tmp_path, monkeypatch)
    released = shop.run("schemas", "release", NAME)
    assert released.out == f"{NAME}: version 2\n", released.err
    assert shop.run("up", "--until-idle").status == 0
    assert (views(shop), shop.ask("status")["documents"]) == (before, counts)
    assert invoice(shop, 20)["mood"] is None

    shop.write(mapping=WITH_MOOD, files={})
    shop.append("invoices.csv", "26,1,2026-03-23,I,,10.00,11.90\n")
    assert shop.run("up", "--until-idle").status == 0
    assert (invoice(shop, 26)["mood"], invoice(shop, 20)["mood"]) == ("glad", None)
    after = shop.ask("status")["documents"]
    assert after["invoice"]["count"] == counts["invoice"]["count"] + 1
    assert {**after, "invoice": None} == {**counts, "invoice": None}

    # Out of the topic, on which both versions stand, the same comes again.
    standing = views(shop)
    assert standing != before
    rebuilt = shop.run("rebuild", "--from-topics")
    assert rebuilt.status == 0, rebuilt.err
    assert shop.run("up", "--until-idle").status == 0
    assert views(shop) == standing
