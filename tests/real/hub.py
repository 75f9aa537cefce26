"""A hub in a folder of its own, run and asked through its command, and killed on the way."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg

from ops.embedded.broker import EmbeddedBroker
from ops.embedded.database import EmbeddedDatabase

Json = dict[str, Any]

_ROOT = Path(__file__).resolve().parents[2]
_UP_SECONDS = 180
_START_SECONDS = 60


class UpFailed(Exception):
    """``headrace up --until-idle`` did not end well; the message holds what it said."""


class Hub:
    """A hub with one source.

    Args:
        folder: where its configuration and its data stand.
        records: the folder of the source's files.
        mapping: the profile that reads them.
        base_currency: of the company.
        time_zone: of the company.
        business_date: what the hub takes for today.
    """

    def __init__(
        self,
        folder: Path,
        records: Path,
        *,
        mapping: str,
        base_currency: str,
        time_zone: str,
        business_date: str,
    ) -> None:
        self.records = records
        self._data = folder / "var"
        self._config = folder / "headrace.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        source = {"name": "records", "kind": "files", "path": str(records), "mapping": mapping}
        company = {"name": "Real", "base_currency": base_currency, "time_zone": time_zone}
        settings = {
            "company": company,
            "data": str(self._data),
            "business_date": business_date,
            "sources": [source],
        }
        # JSON is YAML, and needs no library of its own here.
        self._config.write_text(json.dumps(settings), encoding="utf-8")
        self._answers: dict[tuple[str, ...], Json] = {}

    def up(self) -> None:
        """Read the source to its end and process everything.

        Raises:
            UpFailed: something was left, or it took too long.
        """
        self._finish(self._begin())

    def up_with_kills(self, rng: random.Random, kills: int) -> list[str]:
        """Do the same while the hub's processes are killed; return which of them were, in order.

        At first the whole hub is killed, and started again.

        Raises:
            UpFailed: something was left, or it took too long.
        """
        began = self._begin()
        self._wait_until_it_reads(began)
        time.sleep(rng.uniform(0.2, 2.5))
        began.kill()
        began.communicate()
        killed = ["the whole hub"]
        again = self._begin()
        self._wait_until_it_reads(again)
        while again.poll() is None and len(killed) <= kills:
            time.sleep(rng.uniform(0.1, 0.8))
            processes = self._processes()
            if processes:
                name = rng.choice(sorted(processes))
                os.kill(processes[name], signal.SIGKILL)
                killed.append(name)
        self._finish(again)
        return killed

    def _wait_until_it_reads(self, run: subprocess.Popen[str]) -> None:
        """Wait until the process that reads sources runs, started by this run of the hub."""
        deadline = time.monotonic() + _START_SECONDS
        while run.pid not in _parents(self._processes().get("connectors")):
            if run.poll() is not None or time.monotonic() > deadline:
                raise UpFailed(f"the hub did not start:\n{self._output(run)}")
            time.sleep(0.02)

    def ask(self, *arguments: str) -> Json:
        """Return what ``headrace ARGUMENTS --json`` says; asked once after each run.

        Raises:
            subprocess.CalledProcessError: the command failed.
        """
        if arguments not in self._answers:
            self.ask_all([arguments])
        return self._answers[arguments]

    def ask_all(self, questions: Sequence[tuple[str, ...]]) -> None:
        """Ask several questions in one go, to have their answers ready."""
        ran = subprocess.run(
            [sys.executable, "-P", "-m", "tests.real.asking", str(self._config)],
            check=True,
            cwd=_ROOT,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            input=json.dumps(questions),
            stdout=subprocess.PIPE,
            text=True,
            timeout=_START_SECONDS,
        )
        self._answers.update(zip(questions, json.loads(ran.stdout), strict=True))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query on the hub's database finds, for figures that no command shows."""
        with self.database_running() as url, psycopg.connect(url) as connection:
            return connection.execute(query.encode()).fetchall()

    @contextmanager
    def database_running(self) -> Iterator[str]:
        """Keep the database running, so that each question does not start it anew."""
        server = EmbeddedDatabase(self._data)
        ports = server.acquire()
        try:
            yield server.conninfo(ports)
        finally:
            server.release()

    def close(self) -> None:
        """Stop what a killed or failed run may have left behind."""
        EmbeddedBroker(self._data).stop_if_unused()
        EmbeddedDatabase(self._data).stop_if_unused()

    def _begin(self) -> subprocess.Popen[str]:
        self._answers.clear()
        return subprocess.Popen(
            [*_HEADRACE, "up", "--until-idle", "--config", str(self._config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _finish(self, run: subprocess.Popen[str]) -> None:
        try:
            output, _ = run.communicate(timeout=_UP_SECONDS)
        except subprocess.TimeoutExpired:
            run.terminate()
            raise UpFailed(f"it did not end within {_UP_SECONDS} s:\n{self._output(run)}") from None
        if run.returncode:
            raise UpFailed(f"it ended with {run.returncode}:\n{output}")

    def _output(self, run: subprocess.Popen[str]) -> str:
        try:
            return run.communicate(timeout=30)[0]
        except subprocess.TimeoutExpired:
            run.kill()
            return run.communicate()[0]

    def _processes(self) -> dict[str, int]:
        """Return the ids of the hub's running processes and servers by name."""
        run = self._data / "run"
        found: dict[str, int] = {}
        try:
            for one in json.loads((run / "supervisor.json").read_text())["processes"]:
                found[one["name"]] = one["pid"]
        except (OSError, ValueError, KeyError):
            return {}
        for server in ("kafka", "postgres"):
            try:
                found[server] = json.loads((run / f"{server}.json").read_text())["pid"]
            except (OSError, ValueError, KeyError):
                continue
        return {name: pid for name, pid in found.items() if pid and self._is_ours(pid)}

    def _is_ours(self, pid: int) -> bool:
        """Whether a process belongs to this hub: numbers of ended ones are given again."""
        try:
            process = psutil.Process(pid)
            named = " ".join([*process.cmdline(), *process.environ().values()])
        except psutil.Error:
            return False
        return str(self._data.parent) in named


def _parents(pid: int | None) -> set[int]:
    """Return the ids of a process's parent and of all above it."""
    try:
        return set() if pid is None else {one.pid for one in psutil.Process(pid).parents()}
    except psutil.Error:
        return set()


_HEADRACE = (sys.executable, "-P", "-m", "ops.cli")
