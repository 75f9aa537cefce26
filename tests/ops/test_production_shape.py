"""The production shape at work: each process by itself, and a Kafka that asks for passwords."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import Request, urlopen

import psutil
import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from sqlalchemy import make_url

from hub.kafka import Cluster
from hub.kafka_login import LoginRefused, refuse_bad_login
from hub.settings import KafkaAddress, load_settings
from ops.embedded.database import EmbeddedDatabase
from tests.ops.production import ROOT, Production
from tests.stack import remove_data_folder, temporary_data_folder

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

WORKSHOP = ROOT / "examples" / "workshop"
EXPECTED = json.loads((WORKSHOP / "expected.json").read_text(encoding="utf-8"))
HUB_PASSWORD, BROKER_PASSWORD = "hub-password-f3a1", "broker-password-77c0"
LOGIN = ("MECHANISM", "USERNAME", "PASSWORD")
PROMETHEUS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


@pytest.fixture(scope="module")
def production() -> Iterator[Production]:
    """Kafka and PostgreSQL of the production shape, with tables and topics."""
    folder = temporary_data_folder()
    database = EmbeddedDatabase(folder)
    ports = database.acquire()
    variables = {
        "POSTGRES_PASSWORD": database.password(),
        "KAFKA_HUB_PASSWORD": HUB_PASSWORD,
        "KAFKA_BROKER_PASSWORD": BROKER_PASSWORD,
    }
    shutil.copytree(WORKSHOP, folder / "hub", ignore=shutil.ignore_patterns("var"))
    production = Production(folder, variables, ports["sql"])
    try:
        production.start_kafka()
        until(lambda: production.is_healthy("kafka"), production, "kafka")
        production.start("prepare")
        assert production.running.pop("prepare").wait(60) == 0, production.output("prepare")
        yield production
    finally:
        production.stop()
        database.release()
        remove_data_folder(folder)


@pytest.fixture(scope="module")
def processed(production: Production) -> Production:
    """The workshop's files, processed by the services of the hub with two workers."""
    for service, name in SERVICES:
        production.start(service, name)
    until(lambda: is_processed(production), production, *(name for _, name in SERVICES))
    return production


SERVICES = (
    ("worker", "worker-a"),
    ("worker", "worker-b"),
    ("relay", "relay"),
    ("connectors", "connectors"),
    ("observer", "observer"),
)


def until(condition: Callable[[], bool], production: Production, *names: str) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        for name in names:
            assert production.running[name].poll() is None, production.output(name)
        told = {name: production.output(name)[-1500:] for name in names}
        assert time.monotonic() < deadline, told
        time.sleep(0.3)


def metrics(production: Production, name: str) -> dict[str, float]:
    """The sum of each metric's samples, as Prometheus asks for them."""
    address = f"http://127.0.0.1:{production.ports[name]}{path_that_is_scraped()}"
    with urlopen(Request(address, headers={"Accept": PROMETHEUS}), timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        text = answer.read().decode()
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


def path_that_is_scraped() -> str:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())
    return str(config["scrape_configs"][0]["metrics_path"])


def is_processed(production: Production) -> bool:
    """Whether every document of the workshop is processed, and every change published."""
    try:
        read = metrics(production, "connectors").get("headrace_source_events_total", 0)
        seen = metrics(production, "observer")
    except OSError:
        return False  # One of them has not begun to serve.
    documents = sum(one["count"] for one in EXPECTED["documents"].values())
    return (
        read >= documents
        and seen.get("headrace_lag_records") == 0
        and seen["headrace_outbox_rows"] == 0
        and events_of(production) == read
    )


def events_of(production: Production) -> float:
    return sum(
        metrics(production, name).get("headrace_events_total", 0)
        for name in ("worker-a", "worker-b")
    )


def test_the_processes_of_the_compose_file_make_the_figures_of_the_workshop(
    processed: Production,
) -> None:
    asked = processed.run("show", "receivables", "--json")
    assert asked.returncode == 0, asked.stderr
    total = json.loads(asked.stdout)["total"]
    expected = EXPECTED["receivables"][EXPECTED["as_of"]]
    figures = [
        total["not_due"],
        *(bucket["amount"] for bucket in total["buckets"]),
        *(total[name] for name in ("unallocated", "outstanding", "items", "overdue_items")),
    ]
    assert figures == expected["total"]
    rows = {row["id"]: row["outstanding"] for row in json.loads(asked.stdout)["rows"]}
    column = expected["columns"].index("outstanding")
    assert sorted(rows.values()) == sorted(row[column] for row in expected["rows"].values())
    status = json.loads(processed.run("status", "--json").stdout)
    counted = {kind: one for kind, one in status["documents"].items() if one["count"]}
    assert counted == EXPECTED["documents"]
    assert status["dead_letters"] == EXPECTED["dead_letters"]


def test_workers_of_one_service_take_a_slot_each_and_share_the_work(processed: Production) -> None:
    claimed = [
        entry["slot"]
        for name in ("worker-a", "worker-b")
        for entry in map(json.loads, processed.output(name).splitlines())
        if entry["event"] == "slot_claimed"
    ]
    assert sorted(claimed) == [0, 1]
    until(lambda: {row["worker"] for row in lag(processed)["rows"]} == {0, 1}, processed)


def lag(production: Production) -> dict[str, Any]:
    asked = production.run("lag", "--json")
    assert asked.returncode == 0, asked.stderr
    answer: dict[str, Any] = json.loads(asked.stdout)
    return answer


def test_every_process_is_healthy_by_its_check_and_counts_for_itself(processed: Production) -> None:
    for service, name in SERVICES:
        assert processed.is_healthy(service, name), processed.output(name)
    assert metrics(processed, "relay")["headrace_relayed_records_total"] > 0
    # What only one process measures is served by no other.
    for service, name in SERVICES:
        assert ("headrace_outbox_rows" in metrics(processed, name)) == (service == "observer")


def test_passwords_stand_in_no_log_and_in_no_command_line(processed: Production) -> None:
    commands = [
        " ".join(one.cmdline())
        for process in processed.running.values()
        for one in (psutil.Process(process.pid), *psutil.Process(process.pid).children(True))
    ]
    printed = [path.read_text(errors="replace") for path in processed.folder.glob("*.out")]
    assert len(printed) >= len(SERVICES) + 2
    for secret in processed.variables.values():
        for text in commands + printed:
            assert secret not in text
    # The keys that are made from the passwords are as good as those.
    assert "storedKey" not in processed.output("kafka")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"PASSWORD": "guessed"}, "refuses the login of 'headrace' by SCRAM-SHA-512"),
        ({"USERNAME": "nobody"}, "refuses the login of 'nobody'"),
        ({"MECHANISM": "PLAIN"}, "takes no login by PLAIN"),
        ({"PROTOCOL": "SASL_SSL"}, "does not agree on TLS"),
        ({"PROTOCOL": "PLAINTEXT", **dict.fromkeys(LOGIN)}, "hangs up on protocol PLAINTEXT"),
    ],
)
def test_a_login_that_kafka_refuses_is_told_at_once_with_what_to_look_at(
    production: Production, changed: dict[str, str | None], told: str
) -> None:
    environment = production.environment("worker")
    for key, value in changed.items():
        name = f"HEADRACE_KAFKA__SECURITY__{key}"
        del environment[name]
        if value is not None:
            environment[name] = value
    kafka = load_settings(production.folder / "hub" / "headrace.yaml", hubs(environment)).kafka
    assert isinstance(kafka, KafkaAddress)
    began = time.monotonic()
    with pytest.raises(LoginRefused) as caught:
        refuse_bad_login(Cluster.at(kafka))
    assert time.monotonic() - began < 5
    assert told in str(caught.value)
    assert "HEADRACE_KAFKA__SECURITY__" in str(caught.value)
    assert "guessed" not in str(caught.value)


def hubs(environment: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in environment.items() if key.startswith("HEADRACE_")}


@pytest.mark.parametrize("command", ["lag", "relay"])
def test_a_command_that_kafka_refuses_ends_with_a_sentence(
    production: Production, command: str
) -> None:
    ran = production.run(command, changed={"HEADRACE_KAFKA__SECURITY__PASSWORD": "guessed"})
    assert ran.returncode == 1
    assert "refuses the login of 'headrace' by SCRAM-SHA-512" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert_silent_about_passwords(ran, production)


def test_a_login_that_postgresql_refuses_is_told(production: Production) -> None:
    address = make_url(production.environment("worker")["HEADRACE_DATABASE"])
    wrong = address.set(password="guessed").render_as_string(hide_password=False)
    ran = production.run("prepare", changed={"HEADRACE_DATABASE": wrong})
    assert ran.returncode == 1
    told = json.loads(ran.stderr.splitlines()[-1])["error"]
    assert 'password authentication failed for user "headrace"' in told
    assert "HEADRACE_DATABASE" in told
    assert_silent_about_passwords(ran, production)


def assert_silent_about_passwords(
    ran: subprocess.CompletedProcess[str], production: Production
) -> None:
    for secret in (*production.variables.values(), "guessed"):
        assert secret not in ran.stdout + ran.stderr


def test_kafka_refuses_passwords_that_its_files_cannot_hold(production: Production) -> None:
    script = production.folder / "kafka" / "start.sh"
    environment = {**production.environment("kafka"), "KAFKA_HUB_PASSWORD": 'a"b'}
    ran = subprocess.run(["bash", str(script)], env=environment, capture_output=True, text=True)
    assert ran.returncode == 78
    assert "KAFKA_HUB_PASSWORD: letters, digits" in ran.stderr
    assert 'a"b' not in ran.stderr


def test_every_process_ends_cleanly_on_sigterm(processed: Production) -> None:
    ended = processed.stop()
    # 143: a virtual machine that was told to stop, and did.
    assert ended.pop("kafka") in (0, 143)
    assert ended == {name: 0 for _, name in SERVICES}


def test_kafka_starts_again_with_its_users_and_records(processed: Production) -> None:
    processed.stop()
    before = len(processed.output("kafka"))
    processed.start_kafka()
    until(lambda: processed.is_healthy("kafka"), processed, "kafka")
    # It says so a moment after it listens.
    until(lambda: "Kafka Server started" in processed.output("kafka")[before:], processed, "kafka")
    found = lag(processed)
    assert found["total"] == 0
    assert sum(row["end"] for row in found["rows"]) >= 100
