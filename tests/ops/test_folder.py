"""Run records, locks that end with their holder, ports, and processes that are ours for certain."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ops.embedded.folder import (
    FolderInUse,
    RunRecord,
    Users,
    read_record,
    run_folder,
    sole_hub,
    write_record,
)
from ops.embedded.ports import LOOPBACK, choose_ports, is_free, is_listening
from ops.embedded.processes import Identity, find_process, stop_process


def sleeper(code: str = "import time; time.sleep(60)") -> tuple[subprocess.Popen[bytes], Identity]:
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    identity = Identity.of(process.pid)
    assert identity is not None
    return process, identity


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = RunRecord(Identity.of(os.getpid()), {"sql": 20_001})
    write_record(tmp_path, "postgres", record)
    assert read_record(tmp_path, "postgres") == record


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pid": 1}', '{"pid": 1, "ports": 3}'])
def test_a_damaged_record_counts_as_none(tmp_path: Path, text: str) -> None:
    (run_folder(tmp_path) / "kafka.json").write_text(text)
    assert read_record(tmp_path, "kafka") == RunRecord()


def test_the_last_user_is_told_so(tmp_path: Path) -> None:
    first, second = Users(tmp_path, "kafka"), Users(tmp_path, "kafka")
    first.join()
    second.join()
    assert not first.leave()
    assert second.leave()
    assert not second.leave()


def test_a_second_hub_in_the_folder_is_refused_with_a_word_on_what_to_do(tmp_path: Path) -> None:
    with sole_hub(tmp_path):
        with pytest.raises(FolderInUse, match=f"in use by process {os.getpid()}: stop that hub"):
            with sole_hub(tmp_path):
                pass
    with sole_hub(tmp_path):
        pass


def test_a_killed_hub_leaves_its_folder_free(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from ops.embedded.folder import sole_hub\n"
        "with sole_hub(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path.cwd()
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(FolderInUse):
        with sole_hub(tmp_path):
            pass
    holder.kill()
    holder.communicate()
    with sole_hub(tmp_path):
        pass


def test_the_same_port_is_taken_again_if_it_is_free() -> None:
    chosen = choose_ports(["sql"], {})
    assert choose_ports(["sql"], chosen) == chosen
    with socket.create_server((LOOPBACK, chosen["sql"])):
        assert not is_free(chosen["sql"])
        assert is_listening(chosen["sql"])
        assert choose_ports(["sql"], chosen) != chosen
    assert not is_listening(chosen["sql"])


def test_ports_lie_outside_the_range_of_outgoing_connections() -> None:
    ports = choose_ports(["broker", "controller"], {})
    assert len(set(ports.values())) == 2
    assert all(20_000 <= port < 32_000 for port in ports.values())


def test_a_process_id_that_passed_to_a_stranger_is_not_ours() -> None:
    process, identity = sleeper()
    try:
        assert find_process(identity) is not None
        assert find_process(identity, "time.sleep") is not None
        assert find_process(identity, "another command line") is None
        stranger = Identity(identity.pid, identity.created - 100)
        assert find_process(stranger) is None
        assert stop_process(stranger, 1)
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


def test_a_process_goes_at_the_first_signal_that_it_hears() -> None:
    process, identity = sleeper()
    assert stop_process(identity, 5)
    process.communicate()
    assert find_process(identity) is None


def test_a_deaf_process_is_killed_after_its_grace() -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('deaf', flush=True); time.sleep(60)"
    )
    process, identity = sleeper(code)
    assert process.stdout is not None
    process.stdout.readline()
    began = time.monotonic()
    assert not stop_process(identity, 0.3, (signal.SIGTERM,))
    assert time.monotonic() - began < 5
    process.communicate()
