"""The registry over HTTP: what it keeps, what it refuses with which code, and for whom."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from api.registry import MEDIA_TYPE, registry_router
from schemas.catalogue import TOPICS
from schemas.compatibility import Mode
from schemas.versions import contracts
from sinks.database import engine
from tests.api.serving import served
from tests.schemas.schema_pairs import record

pytestmark = pytest.mark.stack

V1 = record(("id", "long"))
V2 = record(("id", "long"), ("note", ["null", "string"], None))
V3 = record(("id", "long"), ("mood", "string"))
OTHER = record(("id", "string"))
INVOICES = "finance.invoice.v1-value"


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    made = engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def registry(database: Engine) -> Iterator[httpx.Client]:
    app = FastAPI()
    app.include_router(registry_router(database))
    with served(app) as url, httpx.Client(base_url=url, headers={"Accept": MEDIA_TYPE}) as client:
        yield client


def posted(schema: Any, **more: Any) -> dict[str, Any]:
    return {"schema": json.dumps(schema), **more}


def register(registry: httpx.Client, subject: str, schema: Any, **more: Any) -> Any:
    answer = registry.post(f"/subjects/{subject}/versions", json=posted(schema, **more))
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def refused(answer: httpx.Response) -> tuple[int, int]:
    """The status and the code of a refusal, which has a sentence and its media type."""
    told = answer.json()
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert set(told) == {"error_code", "message"} and told["message"]
    return answer.status_code, told["error_code"]


def test_the_contracts_stand_there_under_their_fixed_ids(registry: httpx.Client) -> None:
    assert registry.get("/subjects").json() == sorted(contracts())
    for topic in TOPICS.values():
        newest = registry.get(f"/subjects/{topic.name}-value/versions/latest").json()
        assert newest["id"] == topic.schema_id
        assert json.loads(newest["schema"]) == topic.schema
        by_id = registry.get(f"/schemas/ids/{topic.schema_id}").json()
        assert json.loads(by_id["schema"]) == topic.schema


def test_a_schema_is_registered_found_and_listed(registry: httpx.Client) -> None:
    first = register(registry, "orders-value", V1)
    second = register(registry, "orders-value", V2)
    assert (first, second) == (100_000, 100_001)
    assert register(registry, "orders-value", V1) == first
    assert registry.get("/subjects/orders-value/versions").json() == [1, 2]
    newest = registry.get("/subjects/orders-value/versions/latest").json()
    assert {key: newest[key] for key in ("subject", "version", "id")} == {
        "subject": "orders-value",
        "version": 2,
        "id": second,
    }
    assert json.loads(newest["schema"]) == V2
    assert registry.get("/subjects/orders-value/versions/1/schema").json() == V1
    assert registry.get(f"/schemas/ids/{first}/schema").json() == V1
    looked_up = registry.post("/subjects/orders-value", json=posted(V1)).json()
    assert (looked_up["version"], looked_up["id"]) == (1, first)
    assert registry.get("/schemas/types").json() == ["AVRO"]
    found = registry.get("/schemas", params={"subjectPrefix": "orders", "latestOnly": "true"})
    assert [one["version"] for one in found.json()] == [2]
    assert registry.get("/subjects/orders-value/versions/1/referencedby").json() == []
    assert found.headers["content-type"] == MEDIA_TYPE


def test_one_schema_has_one_id_under_all_its_subjects(registry: httpx.Client) -> None:
    shared = register(registry, "a-value", V1)
    assert register(registry, "b-value", V1) == shared
    assert registry.get(f"/schemas/ids/{shared}/subjects").json() == ["a-value", "b-value"]
    assert registry.get(f"/schemas/ids/{shared}/versions").json() == [
        {"subject": "a-value", "version": 1},
        {"subject": "b-value", "version": 1},
    ]


def test_many_who_register_a_schema_at_once_get_one_id(registry: httpx.Client) -> None:
    schemas = [record(("id", "long"), (f"f{number}", "int", 0)) for number in range(5)]

    def brought(number: int) -> tuple[int, int]:
        return number % 5, register(registry, "crowd-value", schemas[number % 5])

    with ThreadPoolExecutor(16) as crowd:
        given = set(crowd.map(brought, range(80)))
    assert len(given) == 5
    assert sorted(schema_id for _, schema_id in given) == list(range(100_000, 100_005))
    assert registry.get("/subjects/crowd-value/versions").json() == [1, 2, 3, 4, 5]


def test_normalize_knows_a_schema_however_it_is_written(registry: httpx.Client) -> None:
    written = {"fields": [{"type": {"type": "long"}, "name": "id"}], "name": "shop.Order"}
    written["type"] = "record"
    known = register(registry, "orders-value", V1)
    path = "/subjects/orders-value"
    assert refused(registry.post(path, json=posted(written))) == (404, 40403)
    found = registry.post(path, json=posted(written), params={"normalize": "True"})
    assert found.json()["id"] == known
    again = registry.post(f"{path}/versions?normalize=true", json=posted(written))
    assert again.json() == {"id": known}


def test_an_incompatible_schema_is_refused_with_the_place(registry: httpx.Client) -> None:
    register(registry, "orders-value", V1)
    answer = registry.post("/subjects/orders-value/versions", json=posted(V3))
    assert refused(answer) == (409, 409)
    assert "READER_FIELD_MISSING_DEFAULT_VALUE" in answer.json()["message"]
    assert "at /mood" in answer.json()["message"]


def test_the_compatibility_of_a_subject_is_what_is_checked(registry: httpx.Client) -> None:
    for mode in Mode:
        subject = f"{mode}-value"
        register(registry, subject, V1)
        put = registry.put(f"/config/{subject}", json={"compatibility": mode.lower()})
        assert put.json() == {"compatibility": mode}
        assert registry.get(f"/config/{subject}").json() == {"compatibilityLevel": mode}
        path = f"/compatibility/subjects/{subject}/versions"
        for which in (path, f"{path}/latest", f"{path}/1"):
            told = registry.post(which, json=posted(V3), params={"verbose": "true"}).json()
            assert told["is_compatible"] is not mode.backward
            assert bool(told["messages"]) is mode.backward
        assert "messages" not in registry.post(path, json=posted(V3)).json()


def test_a_level_comes_from_the_subject_or_else_from_all(registry: httpx.Client) -> None:
    assert registry.get("/config").json() == {"compatibilityLevel": "BACKWARD"}
    assert refused(registry.get("/config/orders-value")) == (404, 40408)
    inherited = registry.get("/config/orders-value", params={"defaultToGlobal": "true"})
    assert inherited.json() == {"compatibilityLevel": "BACKWARD"}
    registry.put("/config", json={"compatibility": "NONE"})
    register(registry, "orders-value", V1)
    register(registry, "orders-value", OTHER)
    registry.put("/config/orders-value", json={"compatibility": "FULL"})
    assert registry.delete("/config/orders-value").json() == {"compatibilityLevel": "FULL"}
    assert registry.delete("/config").json() == {"compatibilityLevel": "NONE"}
    assert registry.get("/config").json() == {"compatibilityLevel": "BACKWARD"}


def test_what_is_deleted_is_hidden_first_and_gone_for_good_the_second_time(
    registry: httpx.Client,
) -> None:
    first = register(registry, "orders-value", V1)
    register(registry, "orders-value", V2)
    path = "/subjects/orders-value"
    assert refused(registry.delete(f"{path}/versions/1?permanent=true")) == (404, 40407)
    assert registry.delete(f"{path}/versions/1").json() == 1
    assert refused(registry.delete(f"{path}/versions/1")) == (404, 40406)
    assert refused(registry.get(f"{path}/versions/1")) == (404, 40402)
    assert registry.get(f"{path}/versions/1?deleted=true").json()["id"] == first
    assert registry.get(f"{path}/versions").json() == [2]
    assert registry.get(f"{path}/versions?deleted=true").json() == [1, 2]
    assert registry.get(f"{path}/versions?deletedOnly=true").json() == [1]
    # The log may still hold its records.
    assert registry.get(f"/schemas/ids/{first}").status_code == 200

    assert refused(registry.delete(f"{path}?permanent=true")) == (404, 40405)
    assert registry.delete(path).json() == [2]
    assert refused(registry.delete(path)) == (404, 40404)
    assert "orders-value" not in registry.get("/subjects").json()
    assert registry.get("/subjects?deletedOnly=true").json() == ["orders-value"]
    assert registry.delete(f"{path}?permanent=true").json() == [1, 2]
    assert refused(registry.delete(path)) == (404, 40401)
    assert refused(registry.get(f"/schemas/ids/{first}")) == (404, 40403)
    assert register(registry, "orders-value", OTHER) > first + 1


def test_a_hidden_schema_comes_back_as_a_new_version_with_its_id(registry: httpx.Client) -> None:
    known = register(registry, "orders-value", V1)
    registry.delete("/subjects/orders-value")
    assert register(registry, "orders-value", V1) == known
    assert registry.get("/subjects/orders-value/versions").json() == [2]


REFUSALS: dict[str, tuple[Callable[[httpx.Client], httpx.Response], tuple[int, int]]] = {
    "unknown subject": (lambda r: r.get("/subjects/no-value/versions"), (404, 40401)),
    "unknown subject's version": (lambda r: r.get("/subjects/no/versions/1"), (404, 40401)),
    "unknown version": (lambda r: r.get(f"/subjects/{INVOICES}/versions/99"), (404, 40402)),
    "no version": (lambda r: r.get(f"/subjects/{INVOICES}/versions/first"), (422, 42202)),
    "version zero": (lambda r: r.get(f"/subjects/{INVOICES}/versions/0"), (422, 42202)),
    "unknown id": (lambda r: r.get("/schemas/ids/999"), (404, 40403)),
    "an id beyond all": (lambda r: r.get("/schemas/ids/99999999999"), (404, 40403)),
    "lookup of an unknown subject": (
        lambda r: r.post("/subjects/no-value", json=posted(V1)),
        (404, 40401),
    ),
    "lookup of an unknown schema": (
        lambda r: r.post(f"/subjects/{INVOICES}", json=posted(V1)),
        (404, 40403),
    ),
    "no schema": (lambda r: r.post("/subjects/a/versions", json={}), (422, 42201)),
    "no Avro": (
        lambda r: r.post("/subjects/a/versions", json={"schema": '{"type": "x"}'}),
        (422, 42201),
    ),
    "a default that does not fit": (
        lambda r: r.post("/subjects/a/versions", json=posted(record(("a", "int", "x")))),
        (422, 42201),
    ),
    "JSON Schema": (
        lambda r: r.post("/subjects/a/versions", json=posted({}, schemaType="JSON")),
        (422, 42201),
    ),
    "references": (
        lambda r: r.post(
            "/subjects/a/versions",
            json=posted(V1, references=[{"name": "B", "subject": "b", "version": 1}]),
        ),
        (422, 42201),
    ),
    "a schema as long as a book": (
        lambda r: r.post("/subjects/a/versions", json=posted(V1 | {"doc": "x" * 1_000_000})),
        (422, 42209),
    ),
    "a reserved subject": (
        lambda r: r.post("/subjects/__GLOBAL/versions", json=posted(V1)),
        (422, 42208),
    ),
    "a NUL in a subject": (lambda r: r.get("/subjects/a%00b/versions"), (422, 422)),
    "no body": (lambda r: r.post("/subjects/a/versions", content=b"{"), (400, 400)),
    "a level of nobody": (
        lambda r: r.put("/config", json={"compatibility": "SIDEWAYS"}),
        (422, 42203),
    ),
    "a mode of nobody": (lambda r: r.put("/mode", json={"mode": "SLEEP"}), (422, 42204)),
    "no mode of its own": (lambda r: r.get("/mode/a"), (404, 40409)),
    "an id outside IMPORT": (
        lambda r: r.post("/subjects/a/versions", json=posted(V1, id=100_009)),
        (422, 42205),
    ),
}


def test_a_refusal_has_the_code_that_clients_know(registry: httpx.Client) -> None:
    answers = {name: refused(ask(registry)) for name, (ask, _) in REFUSALS.items()}
    assert answers == {name: expected for name, (_, expected) in REFUSALS.items()}


def test_nobody_loosens_deletes_or_replaces_a_contract(registry: httpx.Client) -> None:
    schema = registry.get(f"/subjects/{INVOICES}/versions/latest/schema").json()
    grown = schema | {
        "fields": [*schema["fields"], {"name": "mood", "type": ["null", "string"], "default": None}]
    }
    broken = schema | {"fields": schema["fields"][1:]}
    path = f"/subjects/{INVOICES}"
    assert refused(registry.put(f"/config/{INVOICES}", json={"compatibility": "NONE"})) == (
        422,
        42205,
    )
    assert refused(registry.delete(f"/config/{INVOICES}")) == (422, 42205)
    assert refused(registry.delete(path)) == (422, 42205)
    assert refused(registry.delete(f"{path}/versions/1")) == (422, 42205)
    assert refused(registry.put(f"/mode/{INVOICES}", json={"mode": "IMPORT"})) == (422, 42205)
    assert refused(registry.post(f"{path}/versions", json=posted(grown))) == (422, 42205)
    assert refused(registry.post(f"{path}/versions", json=posted(broken))) == (409, 409)
    assert registry.put(f"/config/{INVOICES}", json={"compatibility": "FULL_TRANSITIVE"}).json()
    registry.put("/config", json={"compatibility": "NONE"})
    assert registry.get(f"/config/{INVOICES}").json() == {"compatibilityLevel": "FULL_TRANSITIVE"}
    assert registry.get(f"/mode/{INVOICES}").json() == {"mode": "READONLY"}
    checked = registry.post(f"/compatibility{path}/versions", json=posted(grown)).json()
    assert checked == {"is_compatible": True}
    assert register(registry, INVOICES, schema) == 107


def test_ids_of_contracts_are_taken_by_nobody_else(registry: httpx.Client) -> None:
    assert registry.put("/mode/a", json={"mode": "IMPORT"}).json() == {"mode": "IMPORT"}
    path = "/subjects/a/versions"
    assert refused(registry.post(path, json=posted(V1, id=108))) == (422, 42205)
    assert refused(registry.post(path, json=posted(V1, id=199))) == (422, 42205)
    assert refused(registry.post(path, json=posted(V1))) == (422, 42205)
    assert register(registry, "a", V1, id=100_500, version=3) == 100_500
    assert refused(registry.post(path, json=posted(OTHER, id=100_500))) == (422, 42205)
    assert refused(registry.post(path, json=posted(OTHER, id=100_501, version=3))) == (422, 42205)
    assert registry.delete("/mode/a").json() == {"mode": "IMPORT"}
    assert register(registry, "a", V2) == 100_501
    assert registry.get("/subjects/a/versions").json() == [3, 4]


def test_a_registry_whose_database_fails_says_so(registry: httpx.Client, database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("DROP TABLE registry_versions"))
    assert refused(registry.get("/subjects")) == (500, 50001)


def test_any_content_type_of_the_clients_will_do(registry: httpx.Client) -> None:
    body = json.dumps(posted(V1)).encode()
    for kind in (MEDIA_TYPE, "application/vnd.schemaregistry+json", "application/octet-stream"):
        answer = registry.post("/subjects/a/versions", content=body, headers={"Content-Type": kind})
        assert answer.json() == {"id": 100_000}
