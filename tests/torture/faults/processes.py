"""Processes and servers that are killed, stopped, or come and go, under load."""

from __future__ import annotations

import signal
import time

from tests.torture.trial import Trial

#: Beyond the session timeout of 8 s: the group gives the worker's partitions to another one.
_STOPPED_SECONDS = 11.0
_LOCK_SECONDS = 8.0
_STOP_TRIES = 400
_LOOK_SECONDS = 0.02


def worker_killed(trial: Trial) -> None:
    """SIGKILL of the only worker, several times."""
    trial.rig.start(1)

    def harm() -> None:
        for _ in range(2 if trial.brief else trial.random.randint(2, 5)):
            trial.pause(0.3, 3.5)
            trial.kill("worker-0")

    trial.run_under(trial.history(), harm)


def workers_side_by_side(trial: Trial) -> None:
    """One customer's documents on several topics and partitions at once, in two workers."""
    trial.rig.start(2)

    def harm() -> None:
        for _ in range(trial.random.randint(0, 2)):
            trial.pause(0.5, 3.0)
            trial.kill(trial.random.choice(("worker-0", "worker-1")))

    trial.run_under(trial.history(customers=5), harm, scatter=True)


def workers_come_and_go(trial: Trial) -> None:
    """Workers join and leave under load, some of them by SIGKILL."""
    trial.rig.start(1)

    def harm() -> None:
        for number in range(2 if trial.brief else 4):
            trial.pause(0.2, 1.5)
            worker = trial.rig.join_worker(1 + number % 2)
            trial.pause(1.5, 4.0)
            if trial.random.random() < 0.4:
                worker.kill()
                trial.killed += 1
            else:
                worker.terminate()
            worker.wait(30)

    trial.run_under(trial.history(), harm, scatter=True, seconds=6.0 if trial.brief else 15.0)


def worker_stopped(trial: Trial) -> None:
    """SIGSTOP of a worker beyond its session timeout, a second one in its place, and SIGCONT."""
    _stop_worker(trial, within_copy=False)


def worker_stopped_in_copy(trial: Trial) -> None:
    """The same while it sends rows within a transaction, which no timeout of the server ends."""
    _stop_worker(trial, within_copy=True)


def _stop_worker(trial: Trial, *, within_copy: bool) -> None:
    trial.rig.start(2, stall_seconds=60.0)
    stopped = trial.random.choice(("worker-0", "worker-1"))
    other = "worker-1" if stopped == "worker-0" else "worker-0"
    events = trial.history(5_000 if within_copy else None)

    def harm() -> None:
        trial.rig.wait_for(stopped)
        trial.pause(2.0, 5.0)
        trial.rig.signal(stopped, signal.SIGSTOP)
        if within_copy:
            _stop_within_copy(trial, stopped)
        trial.killed += 1
        # Rows that the other one waits for are only freed when its wait times out, after 8 s.
        waiting = _LOCK_SECONDS if within_copy else 0.0
        time.sleep(_STOPPED_SECONDS + waiting + trial.random.uniform(0.0, 3.0))
        taken_over = _owners(trial) == {other.removeprefix("worker-")}
        trial.expect(taken_over, f"{other} has not taken over the partitions of {stopped}")
        trial.rig.signal(stopped, signal.SIGCONT)

    trial.run_under(events, harm, scatter=True, seconds=8.0)


def _stop_within_copy(trial: Trial, worker: str) -> None:
    """Let a stopped worker run on a little, until it is stopped while the server waits for rows."""
    with trial.rig.connect() as connection:
        for _ in range(_STOP_TRIES):
            time.sleep(_LOOK_SECONDS)
            found = connection.execute(
                """
                SELECT 1 FROM pg_stat_activity WHERE application_name = %s
                AND state = 'active' AND wait_event = 'ClientRead' AND query LIKE '%%COPY%%'
                """,
                (f"headrace-{worker}",),
            ).fetchone()
            if found:
                return
            trial.rig.signal(worker, signal.SIGCONT)
            trial.pause(0.0, 0.01)
            trial.rig.signal(worker, signal.SIGSTOP)
    raise AssertionError(f"{worker} was never caught within a COPY")


def _owners(trial: Trial) -> set[str]:
    """The slots of the workers that hold partitions."""
    with trial.rig.connect() as connection:
        return {owner for (owner,) in connection.execute("SELECT owner FROM stream_offsets")}


def relay_killed(trial: Trial) -> None:
    """SIGKILL of the relay, several times."""
    trial.rig.start(1)

    def harm() -> None:
        for _ in range(2 if trial.brief else 4):
            trial.pause(0.3, 2.0)
            trial.kill("relay")

    trial.run_under(trial.history(), harm)


def broker_killed(trial: Trial) -> None:
    """SIGKILL of the broker, which the supervisor starts again."""
    trial.rig.start(1 if trial.random.random() < 0.5 else 2)

    def harm() -> None:
        trial.pause(1.0, 6.0)
        trial.kill_server("kafka")
        if not trial.brief and trial.random.random() < 0.5:
            trial.pause(5.0, 10.0)
            trial.kill_server("kafka")

    trial.run_under(trial.history(), harm)


def database_killed(trial: Trial) -> None:
    """SIGKILL of PostgreSQL, which the supervisor starts again."""
    trial.rig.start(1 if trial.random.random() < 0.5 else 2)

    def harm() -> None:
        for _ in range(1 if trial.brief else trial.random.randint(1, 3)):
            trial.pause(1.0, 4.0)
            trial.kill_server("postgres")

    trial.run_under(trial.history(), harm)


def database_away(trial: Trial) -> None:
    """PostgreSQL is gone for a minute (in the short version for some seconds)."""
    trial.rig.start(1)

    def harm() -> None:
        trial.pause(1.5, 4.0)
        trial.rig.revives = False
        trial.kill_server("postgres")
        time.sleep(6.0 if trial.brief else 60.0)
        trial.rig.revives = True

    trial.run_under(trial.history(), harm)
