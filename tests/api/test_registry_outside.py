"""A registry that is not ours gets the hub's contracts under the hub's ids, or says what is in the
way; the outside one is a second registry without contracts of its own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from api.registry import registry_router
from hub.registry import OutsideRegistry, RegistryRefused, RegistryUnreachable
from schemas.catalogue import TOPICS
from schemas.versions import contracts
from sinks.database import engine
from tests.api.serving import served

pytestmark = pytest.mark.stack

INVOICES = "finance.invoice.v1-value"
SOMETHING = '{"type": "enum", "name": "Something", "symbols": ["A"]}'


@pytest.fixture
def outside(database_url: str) -> Iterator[httpx.Client]:
    """An empty registry elsewhere."""
    database = engine(database_url)
    with database.begin() as connection:
        connection.execute(text("TRUNCATE registry_schemas, registry_versions, registry_settings"))
    app = FastAPI()
    app.include_router(registry_router(database, own={}))
    with served(app) as url, httpx.Client(base_url=url) as client:
        yield client
    database.dispose()


def imported(outside: httpx.Client) -> int:
    with OutsideRegistry(str(outside.base_url)) as registry:
        return len(registry.ensure(contracts()))


def test_an_empty_registry_gets_all_contracts_under_their_ids(outside: httpx.Client) -> None:
    assert imported(outside) == len(TOPICS)
    for topic in TOPICS.values():
        newest = outside.get(f"/subjects/{topic.name}-value/versions/latest").json()
        assert (newest["id"], newest["version"]) == (topic.schema_id, 1)
        assert outside.get(f"/config/{topic.name}-value").json() == {
            "compatibilityLevel": "FULL_TRANSITIVE"
        }
        assert outside.get(f"/mode/{topic.name}-value").status_code == 404
    assert imported(outside) == 0


def test_a_registry_that_has_them_is_left_as_it_is(database_url: str) -> None:
    database = engine(database_url)
    app = FastAPI()
    app.include_router(registry_router(database))
    with served(app) as url, OutsideRegistry(url) as registry:
        assert registry.ensure(contracts()) == []
    database.dispose()


def test_an_id_that_is_taken_is_named_with_what_has_it(outside: httpx.Client) -> None:
    outside.put("/mode/games-value", json={"mode": "IMPORT"})
    body = {"schema": SOMETHING, "id": 107, "version": 4}
    outside.post("/subjects/games-value/versions", json=body).raise_for_status()
    with pytest.raises(RegistryRefused) as refusal:
        imported(outside)
    assert "the schema id 107 is taken there by version 4 of games-value" in str(refusal.value)
    assert f"the hub writes version 1 of {INVOICES} with it" in str(refusal.value)


def test_a_contract_that_a_producer_registered_before_is_named_with_its_id(
    outside: httpx.Client,
) -> None:
    body = {"schema": contracts()[INVOICES][0].text}
    given = outside.post(f"/subjects/{INVOICES}/versions", json=body).json()["id"]
    with pytest.raises(RegistryRefused) as refusal:
        imported(outside)
    assert f"holds the contract under the id {given}, and the hub writes 107" in str(refusal.value)


def test_the_mode_that_a_subject_had_comes_back(outside: httpx.Client) -> None:
    outside.put(f"/mode/{INVOICES}", json={"mode": "READONLY"}).raise_for_status()
    assert imported(outside) == len(TOPICS)
    assert outside.get(f"/mode/{INVOICES}").json() == {"mode": "READONLY"}


def test_a_registry_that_takes_no_ids_says_what_to_do() -> None:
    app = FastAPI()

    @app.get("/mode/{subject}", status_code=404)
    def no_mode(subject: str) -> dict[str, object]:
        return {"error_code": 40409, "message": "It has none of its own"}

    @app.put("/mode/{subject}", status_code=422)
    def fixed_mode(subject: str) -> dict[str, object]:
        return {"error_code": 42205, "message": "Mode changes are not allowed"}

    with served(app) as url, OutsideRegistry(url) as registry:
        with pytest.raises(RegistryRefused) as refusal:
            registry.ensure(contracts())
    assert "42205: Mode changes are not allowed" in str(refusal.value)
    assert "mode.mutability=true" in str(refusal.value)


def test_a_registry_that_is_away_is_named_without_its_password() -> None:
    with OutsideRegistry("http://hub:secret@127.0.0.1:1") as registry:
        with pytest.raises(RegistryUnreachable) as failure:
            registry.ensure(contracts())
    assert "http://127.0.0.1:1 does not answer" in str(failure.value)
    assert "secret" not in str(failure.value)


def test_a_schema_is_checked_and_registered_elsewhere(outside: httpx.Client) -> None:
    with OutsideRegistry(str(outside.base_url)) as registry:
        assert registry.check("games-value", SOMETHING) == []
        given = registry.register("games-value", SOMETHING)
        assert registry.newest("games-value") == (1, given)
        assert registry.subjects() == ["games-value"]
        [first, *_] = registry.check("games-value", SOMETHING.replace('"A"', '"B"'))
        assert "lacks the symbols A" in first
        with pytest.raises(RegistryRefused, match="409: Schema being registered is incompatible"):
            registry.register("games-value", SOMETHING.replace('"A"', '"B"'))
