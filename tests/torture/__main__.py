"""``python -m tests.torture --trials N [--fault NAME] [--seed S]``: see ``make torture``."""

from __future__ import annotations

import argparse
import random
import signal
import sys
from types import FrameType

from tests.torture.campaign import run_campaign
from tests.torture.faults import FAULTS


def main() -> int:
    """Run the trials; 1 where any of them showed a difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--trials", type=int, default=5, help="of each fault")
    parser.add_argument("--fault", action="append", choices=sorted(FAULTS), help="only this one")
    parser.add_argument("--seed", type=int, help="of the first trial of each fault")
    parser.add_argument("--brief", action="store_true", help="the short versions of the tests")
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    names = chosen.fault or list(FAULTS)
    signal.signal(signal.SIGTERM, _interrupted)
    return run_campaign(names, trials=chosen.trials, seed=seed, brief=chosen.brief)


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    """Let SIGTERM end a campaign as Ctrl-C does: nothing is left running."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
