"""Only hosts that are named are asked, at addresses that were checked, and by their own name."""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connectors.errors import SourceError
from tests.connectors.rest_server import Handler, Records, redirects, says, serving
from tests.connectors.test_rest_reading import FRAPPE, ODATA, reader, taken

NOTHING = says(b'{"data": []}', "application/json")


class Names:
    """Answers for names of hosts in the place of the network: the next address at each question."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.questions: list[str] = []
        self._system = socket.getaddrinfo

    def getaddrinfo(self, host: str | bytes, *args: object, **options: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in self.answers:
            return self._system(host, *args, **options)  # type: ignore[arg-type]
        self.questions.append(name)
        return [(2, 1, 6, "", (address, 0)) for address in self.answers[name].pop(0)]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    found = Names()
    monkeypatch.setattr("socket.getaddrinfo", found.getaddrinfo)
    return found


def named(url: str, name: str) -> str:
    """The address of a server under another name."""
    return url.replace("127.0.0.1", name)


def read(url: str, hosts: tuple[str, ...] = (), ca_file: Path | None = None) -> None:
    """One pass over nothing; it fails where the server cannot be asked."""
    found = reader(url, FRAPPE, hosts=hosts, ca_file=ca_file).portions({}, final=True)
    assert taken(found, {}) == []


def test_redirect_to_a_host_that_is_not_named_is_refused(records: Records, url: str) -> None:
    other = Records()
    with serving(other) as elsewhere:
        records.faults = [redirects(f"{elsewhere}/api/resource/Customer")]
        with pytest.raises(SourceError, match="add it to 'hosts'"):
            read(url)
        assert other.requests == []


def test_next_page_at_a_host_that_is_not_named_is_refused(records: Records, url: str) -> None:
    records.faults = [
        says(b'{"value": [], "@odata.nextLink": "http://192.0.2.1/x"}', "application/json")
    ]
    with pytest.raises(SourceError, match=r"192\.0\.2\.1"):
        list(reader(url, ODATA).portions({}, final=True))


def test_credentials_stay_with_the_host_of_the_source(records: Records, url: str) -> None:
    shown: list[str | None] = []

    def notes(handler: Handler) -> bool:
        shown.append(handler.headers["authorization"])
        return NOTHING(handler)

    other = Records()
    with serving(other) as elsewhere:
        place = urlsplit(elsewhere).netloc
        records.faults = [redirects(f"{url}/api/resource/Customer"), notes]
        read(url, hosts=(place,))
        records.faults = [redirects(f"{elsewhere}/api/resource/Customer")]
        other.faults = [notes]
        read(url, hosts=(place,))
        assert shown == ["Bearer secret", None]

        # The other host wants credentials of its own: the message says where they belong.
        records.faults = [redirects(f"{elsewhere}/api/resource/Customer")]
        with pytest.raises(SourceError, match="sent only to the host of 'url'"):
            read(url, hosts=(place,))


def test_next_page_at_another_host_is_asked_for_without_credentials(
    records: Records, url: str
) -> None:
    other = Records()
    with serving(other) as elsewhere:
        link = f'{{"value": [], "@odata.nextLink": "{elsewhere}/odata/Customers"}}'
        records.faults = [says(link.encode(), "application/json")]
        with pytest.raises(SourceError, match="sent only to the host of 'url'"):
            list(reader(url, ODATA, hosts=(urlsplit(elsewhere).netloc,)).portions({}, final=True))
        assert len(other.requests) == 1


def test_public_name_of_a_private_address_is_refused_unless_it_is_named(
    names: Names, records: Records, url: str
) -> None:
    names.answers["erp.example"] = [["127.0.0.1"], ["127.0.0.1"]]
    with pytest.raises(SourceError, match=r"127\.0\.0\.1.*not public"):
        read(named(url, "erp.example"))
    assert records.requests == []
    read(named(url, "erp.example"), hosts=("erp.example",))
    assert len(records.requests) == 1


@pytest.mark.parametrize("private", ["10.0.0.5", "::1", "::ffff:10.0.0.5", "169.254.169.254"])
def test_one_private_address_among_public_ones_is_refused(names: Names, private: str) -> None:
    names.answers["erp.example"] = [["1.1.1.1", private]]
    with pytest.raises(SourceError, match="not public"):
        read("http://erp.example")


def test_address_that_was_checked_is_the_one_that_is_asked(
    names: Names, records: Records, url: str
) -> None:
    # Nobody listens at the second answer: whoever asks again before connecting would go there.
    names.answers["erp.example"] = [["127.0.0.1"], ["127.0.0.9"]]
    hosts: list[str] = []

    def notes(handler: Handler) -> bool:
        hosts.append(handler.headers["host"])
        return NOTHING(handler)

    records.faults = [notes]
    there = named(url, "erp.example")
    read(there, hosts=("erp.example",))
    assert hosts == [urlsplit(there).netloc]
    assert names.questions == ["erp.example"]


def test_name_that_moves_to_a_private_address_is_refused_from_then_on(
    names: Names, records: Records, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.rest.hosts._is_public", lambda one: one != "127.0.0.9")
    names.answers["erp.example"] = [["127.0.0.1"], ["127.0.0.9"]]
    there = named(url, "erp.example")
    records.faults = [redirects(f"{there}/api/resource/Customer")]
    with pytest.raises(SourceError, match=r"127\.0\.0\.9.*not public"):
        read(there)
    assert len(records.requests) == 1


def test_next_address_of_a_host_is_tried_where_nobody_listens(
    names: Names, records: Records, url: str
) -> None:
    names.answers["erp.example"] = [["127.0.0.9", "127.0.0.1"]]
    read(named(url, "erp.example"), hosts=("erp.example",))
    assert len(records.requests) == 1


def test_certificate_is_for_the_name_and_not_for_the_address(
    names: Names, records: Records, tmp_path: Path
) -> None:
    certificate, context = signed("erp.example", tmp_path)
    names.answers = {"erp.example": [["127.0.0.1"]], "crm.example": [["127.0.0.1"]] * 9}
    with serving(records, context) as url:
        read(named(url, "erp.example"), hosts=("erp.example",), ca_file=certificate)
        assert len(records.requests) == 1
        with pytest.raises(SourceError, match=r"not trusted.*ca_file"):
            read(named(url, "crm.example"), hosts=("crm.example",), ca_file=certificate)
        assert len(records.requests) == 1


def test_two_hosts_at_one_address_do_not_share_connections(
    names: Names, records: Records, tmp_path: Path
) -> None:
    certificate, context = signed("erp.example", tmp_path)
    names.answers = {"erp.example": [["127.0.0.1"]], "crm.example": [["127.0.0.1"]] * 9}
    with serving(records, context) as url:
        there = named(url, "crm.example")
        records.faults = [redirects(f"{there}/api/resource/Customer")]
        with pytest.raises(SourceError, match="not trusted"):
            read(named(url, "erp.example"), ("erp.example", "crm.example"), certificate)
        assert len(records.requests) == 1


def signed(name: str, folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for ``name``, signed by itself, and the context of a server that has it."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"]
    curve = ["-pkeyopt", "ec_paramgen_curve:P-256"]
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made, *curve, *subject, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context
