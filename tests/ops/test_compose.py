"""docker-compose.yml is valid, and says the same as the embedded parts and the settings."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from hub.settings import KafkaAddress, load_settings
from ops.embedded.jars import KAFKA_VERSION, known_digests

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


def test_it_is_valid_by_the_compose_schema(compose: dict[str, Any]) -> None:
    schema = json.loads((Path(__file__).parent / "compose" / "compose_spec.json").read_text())
    # ``name`` became a part of the specification after this edition of its schema.
    validator = jsonschema.Draft201909Validator(schema)
    validator.validate({key: compose[key] for key in compose if key != "name"})
    assert not validator.is_valid({"services": {"kafka": {"imgae": "x"}}})


def test_what_is_depended_on_and_mounted_is_there(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"kafka", "postgres", "hub"}
    for name in services["hub"]["depends_on"]:
        assert "healthcheck" in services[name]
    mounted = {
        volume.split(":")[0] for service in services.values() for volume in service["volumes"]
    }
    assert set(compose["volumes"]) == {name for name in mounted if re.fullmatch(r"\w+", name)}


def test_the_hub_reads_its_addresses_from_the_environment_that_it_is_given(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "headrace.yaml"
    path.write_text("company: {name: Plant, base_currency: EUR, time_zone: Europe/Berlin}\n")
    environment = compose["services"]["hub"]["environment"]
    settings = load_settings(path, environment)
    assert isinstance(settings.kafka, KafkaAddress)
    assert settings.kafka.bootstrap_servers == ("kafka:19092",)
    assert (
        "INSIDE://kafka:19092"
        in (compose["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"])
    )
    assert settings.database.endswith("@postgres:5432/headrace")


def test_ports_are_open_on_this_machine_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_same_kafka_runs_here_and_embedded(compose: dict[str, Any]) -> None:
    assert compose["services"]["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert f"kafka_2.13-{KAFKA_VERSION}.jar" in known_digests()


def test_the_image_gets_every_room_and_nothing_that_is_not_sent_to_the_builder() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    names = {name for group in copied for name in group.split()}
    rooms = {"schemas", "hub", "sinks", "connectors", "streams", "api", "ops"}
    assert rooms <= names
    sent = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"
    }
    assert names == sent
