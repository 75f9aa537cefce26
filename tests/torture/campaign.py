"""Many trials of many faults on one stack: a line for each, and a table at the end."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

from hub.log import configure_logging
from hub.money import use_exact_arithmetic
from ops.embedded.folder import log_folder
from tests.stack import remove_data_folder
from tests.torture.faults import FAULTS, TIMES
from tests.torture.rig import Rig
from tests.torture.trial import Outcome, attempt

_PREFIX = "headrace-torture-"
_STALE_SECONDS = 3_600
HARNESS_LOG = "supervisor.txt"
_SHOWN_DIFFERENCES = 12
#: How long 5 trials of every fault may take.
LIMIT_TRIALS, LIMIT_MINUTES = 5, 45.0


@contextmanager
def temporary_rig() -> Iterator[Rig]:
    """A rig in a folder that is removed afterwards, as are those of killed campaigns."""
    for stale in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if time.time() - stale.stat().st_mtime > _STALE_SECONDS:
            remove_data_folder(stale / "var")
            if not (stale / "var").exists():
                shutil.rmtree(stale, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        with Rig(folder) as rig:
            yield rig
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Send the logs of this process, and what its children say of errors, to a file."""
    with path.open("a", encoding="utf-8") as file, redirect_stderr(file):
        configure_logging("INFO", as_json=True)
        try:
            yield
        finally:
            logging.getLogger().handlers[:] = [logging.NullHandler()]


def run_campaign(names: Sequence[str], *, trials: int, seed: int, brief: bool) -> int:
    """Run ``trials`` of each fault, seeded ``seed``, ``seed + 1`` …; returns the exit status.

    Of some faults there are more, as ``TIMES`` says.

    A trial's fault and seed are printed before it begins: one that hangs can be tried again.
    """
    began = time.monotonic()
    use_exact_arithmetic()
    configure_logging("ERROR")
    outcomes: list[Outcome] = []
    print(f"{'fault':22} {'seed':>7} {'events':>7} {'seconds':>8} {'idle':>6} {'killed':>7}")
    with temporary_rig() as rig, logged_to(log_folder(rig.settings.data) / HARNESS_LOG):
        for name, this_seed in _in_turn(names, trials, seed):
            print(f"{name:22} {this_seed:>7} ", end="", flush=True)
            outcome = attempt(rig, name, FAULTS[name], this_seed, brief=brief)
            outcomes.append(outcome)
            _tell(outcome, rig)
    _tell_all(names, outcomes)
    minutes = (time.monotonic() - began) / 60
    print(
        f"{minutes:.1f} minutes for {trials} trials of {len(names)} faults (limit: "
        f"{LIMIT_MINUTES:g} minutes for {LIMIT_TRIALS} trials of all {len(FAULTS)} faults)"
    )
    return 1 if any(outcome.differences for outcome in outcomes) else 0


def _in_turn(names: Sequence[str], trials: int, seed: int) -> Iterator[tuple[str, int]]:
    """Yield the faults in turn, each with its next seed."""
    for number in range(trials):
        for name in names:
            times = TIMES.get(name, 1)
            for again in range(times):
                yield name, seed + number * times + again


def _tell(outcome: Outcome, rig: Rig) -> None:
    number = len(outcome.differences)
    verdict = "ok" if number == 0 else f"{number} DIFFERENCES"
    print(
        f"{outcome.events:>7} {outcome.seconds:>8.1f} "
        f"{outcome.recovery_seconds:>6.1f} {outcome.killed:>7}  {verdict}",
        flush=True,
    )
    for difference in outcome.differences[:_SHOWN_DIFFERENCES]:
        print(f"    {difference}")
    if number > _SHOWN_DIFFERENCES:
        print(f"    … and {number - _SHOWN_DIFFERENCES} more")
    if number:
        kept = Path(
            tempfile.mkdtemp(prefix=f"headrace-differences-{outcome.fault}-{outcome.seed}-")
        )
        shutil.copytree(log_folder(rig.settings.data), kept / "logs")
        text = "".join(f"{difference}\n" for difference in outcome.differences)
        (kept / "differences.txt").write_text(text, encoding="utf-8")
        print(f"    logs are kept in {kept}", flush=True)


def _tell_all(names: Sequence[str], outcomes: Sequence[Outcome]) -> None:
    print(f"\n{'fault':22} {'trials':>7} {'passed':>7} {'worst idle after':>17}")
    for name in names:
        mine = [outcome for outcome in outcomes if outcome.fault == name]
        passed = sum(not outcome.differences for outcome in mine)
        worst = max((outcome.recovery_seconds for outcome in mine), default=0.0)
        print(f"{name:22} {len(mine):>7} {passed:>7} {worst:>15.1f} s")
    print(f"{sum(outcome.killed for outcome in outcomes)} kills and stops in all")
