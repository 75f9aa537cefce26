"""The supervisor with real child processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ops.child_log import is_error
from ops.embedded.processes import Identity, find_process
from ops.supervisor import FATAL_EXIT, Command, Supervisor
from ops.watchdog import Lag

SLEEP = "import time; time.sleep(60)"


def python(name: str, code: str, slot: int | None = None, *, finishes: bool = False) -> Command:
    return Command(name, (sys.executable, "-c", code), slot, finishes)


def within(seconds: float) -> Callable[[], bool]:
    deadline = time.monotonic() + seconds
    return lambda: time.monotonic() > deadline


def state(data: Path) -> dict[str, dict[str, Any]]:
    document = json.loads((data / "run" / "supervisor.json").read_text())
    return {entry["name"]: entry for entry in document["processes"]}


def restarts(data: Path, name: str) -> int:
    """How often this child was started again; 0 before anything was."""
    path = data / "run" / "supervisor.json"
    return int(state(data)[name]["restarts"]) if path.exists() else 0


def test_a_child_that_dies_is_started_again_with_growing_pauses(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    code = (
        f"import time; open({str(starts)!r}, 'a').write(f'{{time.time()}}\\n'); raise SystemExit(3)"
    )
    Supervisor(tmp_path, [python("relay", code)]).run(within(6.0))
    times = [float(line) for line in starts.read_text().splitlines()]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert len(pauses) >= 4
    assert min(pauses[:3]) >= 0.5
    assert pauses[3] >= 1.0
    entry = state(tmp_path)["relay"]
    assert entry["restarts"] >= 4
    assert entry["last_exit"] == 3


def test_children_are_stopped_cleanly(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "def leave(*_): print('left in order', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, leave)\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    log = tmp_path / "logs" / "worker-0.log"
    supervisor = Supervisor(tmp_path, [python("worker-0", code, slot=0)])

    def ready() -> bool:
        return log.exists() and "ready" in log.read_text()

    assert supervisor.run(ready) == 0
    assert log.read_text() == "ready\nleft in order\n"
    assert supervisor.exit_status("worker-0") == 0
    assert state(tmp_path)["worker-0"]["pid"] is None


def test_a_child_that_is_deaf_to_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf', flush=True); time.sleep(60)"
    )
    log = tmp_path / "logs" / "deaf.log"
    supervisor = Supervisor(tmp_path, [python("deaf", code)], grace_seconds=0.3)
    supervisor.run(lambda: log.exists() and "deaf" in log.read_text())
    assert supervisor.exit_status("deaf") == -signal.SIGKILL


def test_the_watchdog_kills_a_stalled_worker_and_leaves_the_other(tmp_path: Path) -> None:
    began = time.monotonic()

    def progress() -> list[Lag]:
        moving = int((time.monotonic() - began) * 1000)
        return [Lag("t", 0, 5, 9, 0), Lag("t", 1, moving, 10**9, 1)]

    supervisor = Supervisor(
        tmp_path,
        [python("worker-0", SLEEP, slot=0), python("worker-1", SLEEP, slot=1)],
        progress=progress,
        stall_seconds=1.0,
    )

    expired = within(15)
    supervisor.run(lambda: restarts(tmp_path, "worker-0") > 0 or expired())
    states = state(tmp_path)
    assert states["worker-0"]["restarts"] >= 1
    assert states["worker-1"]["restarts"] == 0


def test_a_progress_that_cannot_be_known_kills_nobody(tmp_path: Path) -> None:
    def progress() -> list[Lag]:
        raise ConnectionError("the broker is away")

    supervisor = Supervisor(
        tmp_path, [python("worker-0", SLEEP, slot=0)], progress=progress, stall_seconds=0.5
    )
    supervisor.run(within(2.5))
    assert state(tmp_path)["worker-0"]["restarts"] == 0


def test_a_child_that_has_finished_is_not_started_again(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, [python("read", "print('done')", finishes=True)])
    supervisor.run(lambda: supervisor.states()["read"] == "ended")
    assert supervisor.exit_status("read") == 0
    assert state(tmp_path)["read"]["restarts"] == 0


def test_a_child_that_no_restart_can_help_is_given_up(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = (
        'import sys; print(\'{"level": "info"}\');'
        f" print('topic was made again', file=sys.stderr); sys.exit({FATAL_EXIT})"
    )
    supervisor = Supervisor(tmp_path, [python("worker-0", code)])
    assert supervisor.run(lambda: supervisor.states()["worker-0"] == "given up") == 1
    assert "worker-0: topic was made again" in capfd.readouterr().err


def test_servers_that_died_are_revived_and_a_failure_is_tried_again(tmp_path: Path) -> None:
    calls: list[float] = []

    def revive() -> list[str]:
        calls.append(time.monotonic())
        if len(calls) == 1:
            raise OSError("no memory")
        return ["kafka"]

    supervisor = Supervisor(tmp_path, [], revive=revive)
    deadline = within(10)
    supervisor.run(lambda: len(calls) >= 3 or deadline())
    assert len(calls) >= 3


SUPERVISED = """
import sys
from pathlib import Path
from hub.log import configure_logging
from ops.supervisor import Command, Supervisor
configure_logging()
command = Command("worker-0", (sys.executable, "-c", sys.argv[2]), 0)
sys.exit(Supervisor(Path(sys.argv[1]), [command]).run())
"""


def supervised(data: Path, code: str) -> tuple[subprocess.Popen[bytes], Identity]:
    """A supervisor in a process of its own, and its child as soon as that is running."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISED, str(data), code], stderr=subprocess.DEVNULL
    )
    path = data / "run" / "supervisor.json"
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if path.exists() and (entry := state(data)["worker-0"])["pid"]:
            return process, Identity(entry["pid"], entry["created"])
        time.sleep(0.05)
    process.kill()
    process.wait()
    raise AssertionError("the supervisor did not start its child")


def gone(identity: Identity, seconds: float = 10) -> bool:
    expired = within(seconds)
    while find_process(identity) is not None and not expired():
        time.sleep(0.05)
    return find_process(identity) is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_supervisor_and_its_children(
    tmp_path: Path, number: signal.Signals
) -> None:
    process, child = supervised(tmp_path, SLEEP)
    process.send_signal(number)
    assert process.wait(10) == 0
    assert gone(child)


def test_children_of_a_killed_supervisor_are_ended_by_the_next_one(tmp_path: Path) -> None:
    process, orphan = supervised(tmp_path, SLEEP)
    process.kill()
    process.wait()
    assert find_process(orphan) is not None
    Supervisor(tmp_path, []).run(within(0.1))
    assert gone(orphan)


def test_a_child_can_leave_by_itself_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    code = (
        "import time; from ops.supervisor import leave_with_supervisor;"
        " leave_with_supervisor(0.1); print('ready', flush=True); time.sleep(60)"
    )
    process, orphan = supervised(tmp_path, code)
    log = tmp_path / "logs" / "worker-0.log"
    expired = within(10)
    while not (log.exists() and "ready" in log.read_text()) and not expired():
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert gone(orphan)


def test_leftovers_are_known_by_their_start_time_too(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    stranger = {"name": "worker-0", "pid": os.getpid(), "created": 1.0}
    (tmp_path / "run" / "supervisor.json").write_text(json.dumps({"processes": [stranger]}))
    Supervisor(tmp_path, []).run(within(0.1))  # Ending a stranger would end this test.


def test_output_is_kept_within_bounds(tmp_path: Path) -> None:
    code = "print('x' * 1000 + '\\n', end='') or [print('x' * 1000) for _ in range(12_000)]"
    supervisor = Supervisor(tmp_path, [python("talker", code, finishes=True)])
    supervisor.run(lambda: supervisor.states()["talker"] == "ended")
    kept = sorted((tmp_path / "logs").iterdir())
    assert 2 <= len(kept) <= 3
    assert sum(path.stat().st_size for path in kept) <= 15_000_000


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('{"level": "info", "event": "fine"}', False),
        ('{"level": "error", "event": "broken"}', True),
        ("Traceback (most recent call last):", True),
        ("{broken", True),
        ("", False),
    ],
)
def test_an_error_is_told_from_a_line_of_log(line: str, error: bool) -> None:
    assert is_error(line) is error
