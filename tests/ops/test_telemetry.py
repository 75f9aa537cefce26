"""What an operator reads of the hub's metrics, from real processes over HTTP."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.metrics import OUTBOX_DEPTH
from hub.settings import Company, Settings
from hub.validation import SettingsError
from ops.running import commands
from ops.supervisor import Command, Supervisor
from ops.telemetry import metrics_environment, serving_metrics
from tests.cli.shop import CONFIG, Shop, opened_shop

COMPANY = Company(name="Shop", base_currency="EUR", time_zone="UTC")

# As the hub's processes begin; this one processes three records and dies.
DYING_WORKER = """
from ops.commands.internal import count_as
count_as({name!r})
from hub.metrics import COMMIT_SECONDS, EVENTS, SOURCE_WAITING
EVENTS.labels(topic="sales.order.v1").inc(3)
COMMIT_SECONDS.labels(topic="sales.order.v1").observe(0.02)
SOURCE_WAITING.labels("erp").set(7)
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""

Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


def hub(data: Path, port: int | None) -> Settings:
    return Settings(company=COMPANY, data=data, metrics_port=port)


def read(address: str | None) -> Samples:
    """Every sample that is served, by its name and labels; each family once."""
    assert address is not None
    with urlopen(address, timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def dying(name: str, settings: Settings) -> Command:
    code = DYING_WORKER.format(name=name)
    return Command(name, (sys.executable, "-c", code), environment=metrics_environment(settings))


def within(seconds: float) -> Callable[[], bool]:
    deadline = time.monotonic() + seconds
    return lambda: time.monotonic() > deadline


def test_counts_of_processes_that_died_are_kept_and_their_files_do_not_pile_up(
    tmp_path: Path,
) -> None:
    settings = hub(tmp_path, 0)
    order = (("topic", "sales.order.v1"),)
    with serving_metrics(settings) as address:
        supervisor = Supervisor(
            tmp_path, [dying("worker-0", settings), dying("worker-1", settings)]
        )

        def died_thrice() -> bool:
            found = read(address)
            return all(
                found.get(("headrace_restarts_total", (("process", name), ("reason", "ended"))), 0)
                >= before[name] + 3
                for name in before
            )

        before = {
            name: read(address).get(
                ("headrace_restarts_total", (("process", name), ("reason", "ended"))), 0
            )
            for name in ("worker-0", "worker-1")
        }
        limit = within(60.0)
        supervisor.run(lambda: died_thrice() or limit())
        found = read(address)
        assert found["headrace_events_total", order] >= 2 * 3 * 3
        assert (
            found["headrace_commit_seconds_count", order] * 3
            == found["headrace_events_total", order]
        )
        assert found["headrace_source_waiting_records", (("source", "erp"),)] == 7
        files = {path.name for path in (tmp_path / "run" / "metrics").iterdir()}
    assert {name for name in files if not re.search(r"_worker-[01]\.db$", name)} == set()
    assert "counter_worker-0.db" in files


def test_a_child_does_not_hide_the_gauges_of_the_hub(tmp_path: Path) -> None:
    settings = hub(tmp_path, 0)
    with serving_metrics(settings) as address:
        worker = dying("worker-0", settings)
        env = {**worker.environment, "PYTHONPATH": str(Path.cwd())}
        subprocess.run(worker.argv, env=env, check=False)
        OUTBOX_DEPTH.set(42)
        assert read(address)["headrace_outbox_rows", ()] == 42


def test_a_new_run_counts_from_nothing(tmp_path: Path) -> None:
    left = tmp_path / "run" / "metrics" / "counter_worker-9.db"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"damaged")
    with serving_metrics(hub(tmp_path, 0)) as address:
        assert not left.exists()
        assert "headrace_events_total" not in {name for name, _ in read(address)}


def test_a_file_that_was_just_made_does_not_spoil_the_answer(tmp_path: Path) -> None:
    with serving_metrics(hub(tmp_path, 0)) as address:
        (tmp_path / "run" / "metrics" / "counter_relay.db").touch()
        assert read(address)


def test_metrics_are_off_without_the_key(tmp_path: Path) -> None:
    settings = hub(tmp_path, None)
    with serving_metrics(settings) as address:
        assert address is None
    assert not (tmp_path / "run" / "metrics").exists()
    assert all(not one.environment for one in commands(settings, None, bounded=False))


def test_every_process_of_a_hub_shares_its_metrics(tmp_path: Path) -> None:
    made = commands(hub(tmp_path, 9464), None, bounded=False)
    folder = str(tmp_path / "run" / "metrics")
    assert [one.environment for one in made] == [{"PROMETHEUS_MULTIPROC_DIR": folder}] * 3


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"metrics_port: found {port} "):
            with serving_metrics(hub(tmp_path, port)):
                pass


def test_only_this_machine_is_answered_and_only_for_as_long_as_the_hub_runs(tmp_path: Path) -> None:
    with serving_metrics(hub(tmp_path, 0)) as address:
        assert address is not None
        port = int(address.split(":")[2].split("/")[0])
        # Another address of the same machine; a server on all addresses would answer.
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=5)
        assert read(address)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


SHARING = """
import sys
from pathlib import Path
from ops.commands.internal import count_as
count_as("relay")
from hub.settings import Company, Settings
from ops.telemetry import serving_own_metrics
company = Company(name="Shop", base_currency="EUR", time_zone="UTC")
settings = Settings(company=company, data=Path(sys.argv[1]), metrics_port=int(sys.argv[2]))
with serving_own_metrics(settings):
    print("began")
"""


def test_a_process_that_shares_its_metrics_leaves_the_port_to_its_supervisor(
    tmp_path: Path,
) -> None:
    with serving_metrics(hub(tmp_path, 0)) as address:
        assert address is not None
        port = address.split(":")[2].split("/")[0]
        argv = (sys.executable, "-c", SHARING, str(tmp_path), port)
        shared = metrics_environment(hub(tmp_path, int(port)))
        found = {
            name: subprocess.run(argv, env=env, capture_output=True, text=True, cwd=Path.cwd())
            for name, env in (("shared", {**os.environ, **shared}), ("alone", dict(os.environ)))
        }
    assert found["shared"].stdout == "began\n"
    assert "metrics_port" in found["alone"].stderr


@pytest.fixture
def shop() -> Iterator[Shop]:
    with opened_shop() as shop:
        yield shop


@pytest.mark.stack
@pytest.mark.timeout(240)
def test_a_running_hub_tells_where_its_metrics_are_and_what_it_did(shop: Shop) -> None:
    shop.write(config=CONFIG + "metrics_port: 0\n")
    with shop.up() as process:
        assert process.stdout is not None
        address = None
        while address is None:
            line = process.stdout.readline()
            assert line, "it ended before it was up"
            if line.startswith("Metrics "):
                address = line.split()[1]
        deadline = time.monotonic() + 90
        while True:
            found = read(address)
            letters = ("headrace_dead_letters_total", (("code", "not_a_number"), ("stage", "till")))
            events = sum(v for (name, _), v in found.items() if name == "headrace_events_total")
            relayed = [v for (name, _), v in found.items() if "relayed_records_total" in name]
            lag = [v for (name, _), v in found.items() if name == "headrace_lag_records"]
            done = events == 8 and relayed and found["headrace_outbox_rows", ()] == 0
            if done and lag and not any(lag):
                break
            assert time.monotonic() < deadline, found
            time.sleep(0.5)
        codes = {
            dict(labels)["code"]: value
            for (name, labels), value in found.items()
            if name == letters[0]
        }
        assert codes == {"not_a_number": 1}
        assert found["headrace_source_records_total", (("source", "till"),)] >= 12
        assert found["headrace_batches_total", (("topic", "sales.order.v1"),)] >= 1
        files = {path.name.split("_")[-1] for path in (shop.folder / "var/run/metrics").iterdir()}
        assert files == {"worker-0.db", "relay.db", "connectors.db"}
