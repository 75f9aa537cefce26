"""The doctor sees whether the hub's contracts stand under their ids, and says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from api.registry import registry_router
from hub.registry import OutsideRegistry
from ops.doctor.finding import State
from ops.doctor.registry import look_at_outside_registry, look_at_own_registry
from schemas.versions import contracts
from sinks.database import engine, migrate
from sinks.registry.rows import lay_in
from tests.api.serving import served

pytestmark = pytest.mark.stack

RATES = "finance.rate.v1-value"
SOMETHING = '{"type": "enum", "name": "Something", "symbols": ["A"]}'


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    opened = engine(database_url)
    yield opened
    opened.dispose()


def test_contracts_of_a_fresh_hub_stand_in_its_own_registry(database_url: str) -> None:
    finding = look_at_own_registry(database_url)
    assert finding.state == State.OK
    assert f"{sum(map(len, contracts().values()))} versions of contracts" in finding.found


def test_registry_is_not_known_while_the_database_does_not_run() -> None:
    assert look_at_own_registry(None).state == State.UNKNOWN


@pytest.mark.parametrize(
    "loss",
    [
        f"DELETE FROM registry_versions WHERE subject = '{RATES}'",
        f"UPDATE registry_versions SET deleted = true WHERE subject = '{RATES}'",
        f"UPDATE registry_versions SET schema_id = 107 WHERE subject = '{RATES}'",
        f"UPDATE registry_schemas SET schema = '{SOMETHING}', digest = '' WHERE id = 109",
    ],
)
def test_contract_that_is_lost_or_another_is_named_and_laid_in_again(
    database: Engine, database_url: str, loss: str
) -> None:
    with database.begin() as connection:
        connection.execute(text(loss))
    finding = look_at_own_registry(database_url)
    assert (finding.state, f"{RATES} 1 not as this hub" in finding.found) == (State.FAILED, True)
    assert "headrace prepare" in finding.do
    migrate(database_url)
    assert look_at_own_registry(database_url).state == State.OK


def test_database_that_a_newer_hub_has_used_asks_for_an_update(
    database: Engine, database_url: str
) -> None:
    first = contracts()[RATES][0]
    with database.begin() as connection:
        lay_in(connection, {RATES: [first, replace(first, number=2, schema_id=1109)]})
    finding = look_at_own_registry(database_url)
    assert (finding.state, finding.do[:15]) == (State.FAILED, "update this hub")
    assert f"version 2 of {RATES}" in finding.found


@pytest.fixture
def outside(database: Engine) -> Iterator[httpx.Client]:
    """An empty registry elsewhere."""
    with database.begin() as connection:
        connection.execute(text("TRUNCATE registry_schemas, registry_versions, registry_settings"))
    app = FastAPI()
    app.include_router(registry_router(database, own={}))
    with served(app) as url, httpx.Client(base_url=url) as client:
        yield client


def test_outside_registry_that_lacks_the_contracts_is_told_before_the_hub_starts(
    outside: httpx.Client,
) -> None:
    url = str(outside.base_url)
    finding = look_at_outside_registry(url)
    assert (finding.state, "lacks" in finding.found) == (State.WARNING, True)
    assert outside.get("/subjects").json() == []  # It was only looked at.
    with OutsideRegistry(url) as registry:
        registry.ensure(contracts())
    finding = look_at_outside_registry(url)
    assert (finding.state, f"{len(contracts())} subjects" in finding.found) == (State.OK, True)


def test_id_that_another_schema_has_outside_is_named(outside: httpx.Client) -> None:
    outside.put("/mode/games-value", json={"mode": "IMPORT"})
    body = {"schema": SOMETHING, "id": 109, "version": 1}
    outside.post("/subjects/games-value/versions", json=body).raise_for_status()
    finding = look_at_outside_registry(str(outside.base_url))
    assert finding.state == State.FAILED
    assert "the schema id 109 is taken there by version 1 of games-value" in finding.found


def test_outside_registry_that_is_away_or_no_registry_is_told_without_its_password() -> None:
    away = look_at_outside_registry("http://hub:geheim@127.0.0.1:1")
    assert (away.state, "does not answer" in away.found) == (State.FAILED, True)
    assert "geheim" not in away.found
    # Some other server, which has no such paths.
    with served(FastAPI()) as url:
        assert look_at_outside_registry(url).state == State.FAILED
