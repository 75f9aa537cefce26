"""What the settings may say of Kafka's login, and that it is never shown."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from pathlib import Path

import pytest

from hub.kafka import Cluster
from hub.kafka_login import LoginRefused, refuse_bad_login
from hub.settings import KafkaAddress, SettingsError, load_settings

COMPANY = "company: {name: Plant, base_currency: EUR, time_zone: Europe/Berlin}\n"
LOGIN = {
    "HEADRACE_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "HEADRACE_KAFKA__SECURITY__PROTOCOL": "SASL_PLAINTEXT",
    "HEADRACE_KAFKA__SECURITY__MECHANISM": "SCRAM-SHA-512",
    "HEADRACE_KAFKA__SECURITY__USERNAME": "headrace",
    "HEADRACE_KAFKA__SECURITY__PASSWORD": "s3cret-word",
}


def loaded(folder: Path, env: dict[str, str]) -> Cluster:
    path = folder / "headrace.yaml"
    path.write_text(COMPANY)
    kafka = load_settings(path, env).kafka
    assert isinstance(kafka, KafkaAddress)
    return Cluster.at(kafka)


def refused(folder: Path, env: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        loaded(folder, env)
    assert "s3cret-word" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("key", ["MECHANISM", "USERNAME", "PASSWORD"])
def test_a_login_must_be_whole(tmp_path: Path, key: str) -> None:
    env = {name: value for name, value in LOGIN.items() if not name.endswith(key)}
    told = refused(tmp_path, env)
    assert "kafka.security" in told
    assert f"for SASL_PLAINTEXT {key.lower()} as well" in told


def test_an_empty_password_is_none(tmp_path: Path) -> None:
    told = refused(tmp_path, {**LOGIN, "HEADRACE_KAFKA__SECURITY__PASSWORD": ""})
    assert "password as well" in told


def test_a_login_that_the_protocol_would_not_use_is_refused(tmp_path: Path) -> None:
    told = refused(tmp_path, {**LOGIN, "HEADRACE_KAFKA__SECURITY__PROTOCOL": "SSL"})
    assert "with SASL_SSL or SASL_PLAINTEXT only" in told


def test_a_wrong_key_beside_a_password_does_not_show_it(tmp_path: Path) -> None:
    path = tmp_path / "headrace.yaml"
    security = "security: [{username: headrace, password: s3cret-word}]"
    path.write_text(f"{COMPANY}kafka: {{bootstrap_servers: ['one:9092'], {security}}}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    assert "headrace" in str(caught.value)
    assert "s3cret-word" not in str(caught.value)


def test_every_client_is_given_the_login_and_no_text_of_the_cluster_shows_it(
    tmp_path: Path,
) -> None:
    cluster = loaded(tmp_path, LOGIN)
    options = cluster.client_options()
    assert options["security_protocol"] == "SASL_PLAINTEXT"
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert options["sasl_plain_username"] == "headrace"
    assert options["sasl_plain_password"] == "s3cret-word"
    assert "s3cret-word" not in repr(cluster) + repr(cluster.security)


def test_a_kafka_that_is_away_is_left_to_be_waited_for(tmp_path: Path) -> None:
    refuse_bad_login(loaded(tmp_path, LOGIN))


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0:9464", "everywhere"])
def test_metrics_are_served_at_an_address(tmp_path: Path, host: str) -> None:
    path = tmp_path / "headrace.yaml"
    path.write_text(COMPANY)
    with pytest.raises(SettingsError, match="metrics_host"):
        load_settings(path, {"HEADRACE_METRICS_HOST": host})
    assert load_settings(path, {}).metrics_host == "127.0.0.1"


class _HangsUp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        # A reset and not a farewell, as from a broker that was killed.
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_kafka_that_dies_at_the_login_is_left_to_be_waited_for(tmp_path: Path) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), _HangsUp) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            address = f"127.0.0.1:{server.server_address[1]}"
            cluster = loaded(tmp_path, {**LOGIN, "HEADRACE_KAFKA__BOOTSTRAP_SERVERS": address})
            refuse_bad_login(cluster)
        finally:
            server.shutdown()
            thread.join()


def test_an_authority_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    env = {
        **LOGIN,
        "HEADRACE_KAFKA__SECURITY__PROTOCOL": "SASL_SSL",
        "HEADRACE_KAFKA__SECURITY__CA_FILE": "ca.pem",
    }
    with pytest.raises(LoginRefused, match=r"ca_file can't be used: .*No such file"):
        refuse_bad_login(loaded(tmp_path, env))
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(LoginRefused, match="ca_file can't be used"):
        refuse_bad_login(loaded(tmp_path, env))
