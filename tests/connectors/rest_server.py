"""A real HTTP server that answers like the APIs of ERP systems, with the faults that they have."""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Record = dict[str, Any]
#: Answers in the place of the API; returns whether it did.
Fault = Callable[["Handler"], bool]


#: The value of a field in the place of which ``Records.deep`` is sent.
DEEP = "<deep>"


class Records:
    """The records of a system: by key, with a change time in microseconds that it may cut."""

    def __init__(self) -> None:
        self.by_key: dict[Any, Record] = {}
        self.requests: list[str] = []
        self.faults: list[Fault] = []
        #: Called before each list is made: someone works in the system meanwhile.
        self.meanwhile: Callable[[], None] = lambda: None
        #: Changes of tracked sets in their order, deletions as None.
        self.changes: list[tuple[Any, Record | None]] = []
        self.first_change = 0
        #: No page of a list has more, however many are asked for.
        self.most = 1_000
        #: Answers that the page behind the last one is not there.
        self.ends_with_404 = False
        self.deep = b"[]"

    def put(self, key: Any, changed: str, **fields: Any) -> None:
        """Add or change a record."""
        self.by_key[key] = {"key": key, "changed": changed, **fields}
        self.changes.append((key, self.by_key[key]))

    def remove(self, key: Any) -> None:
        """Delete a record."""
        del self.by_key[key]
        self.changes.append((key, None))

    def sorted(self, by_key: bool = False) -> list[Record]:
        """The records in the order of an answer."""
        names = ("key",) if by_key else ("changed", "key")
        return sorted(self.by_key.values(), key=lambda one: tuple(one[name] for name in names))


class Handler(BaseHTTPRequestHandler):
    """One request; the path says of which API."""

    records: Records
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def log_message(self, *_: Any) -> None:
        """Be quiet."""

    def _answer(self, body: dict[str, Any]) -> None:
        self.records.requests.append(unquote(self.path))
        if self.records.faults and self.records.faults.pop(0)(self):
            return
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = unquote(parts.path)
        if self.headers.get("authorization") != "Bearer secret":
            self.send({"message": "no"}, 401)
        elif path.startswith("/api/resource/"):
            self._frappe(path.split("/")[3:], query)
        elif path.startswith("/json/2/"):
            self._odoo(path.rsplit("/", 1)[-1], body)
        elif path.startswith("/odata/"):
            self._odata(query)
        elif path.startswith("/list"):
            self._list(path, query)
        else:
            self.send({"message": "nothing here"}, 404)

    def send(self, content: Any, status: int = 200, **headers: str) -> None:
        """Answer with JSON."""
        raw = json.dumps(content).encode().replace(json.dumps(DEEP).encode(), self.records.deep)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(raw)

    def _frappe(self, path: list[str], query: dict[str, str]) -> None:
        if len(path) == 2:
            record = self.records.by_key.get(path[1])
            whole = record and {
                **{name: value for name, value in record.items() if name not in ("key", "changed")},
                "name": record["key"],
                "modified": record["changed"],
            }
            if whole:
                self.send({"data": whole})
            else:
                self.send({"exc_type": "DoesNotExistError"}, 404)
            return
        self.records.meanwhile()
        found = self.records.sorted("modified" not in query["order_by"])
        for name, sign, value in json.loads(query["filters"]):
            field = {"name": "key", "modified": "changed"}[name]
            found = [one for one in found if _holds(one[field], sign, value)]
        begin, size = int(query["limit_start"]), int(query["limit_page_length"])
        page = found[begin : begin + size]
        self.send({"data": [{"name": one["key"], "modified": one["changed"]} for one in page]})

    def _odoo(self, method: str, body: dict[str, Any]) -> None:
        if method == "fields_get":
            kinds = {
                "id": "integer",
                "write_date": "datetime",
                "name": "char",
                "ref": "char",
                "active": "boolean",
                "country_id": "many2one",
            }
            self.send({name: {"type": kind} for name, kind in kinds.items()})
            return
        self.records.meanwhile()
        found = self.records.sorted(not body["order"].startswith("write_date"))
        for name, sign, value in body["domain"]:
            field = {"id": "key", "write_date": "changed"}[name]
            # Odoo compares the microseconds that it keeps and does not show.
            found = [one for one in found if _holds(one[field], sign, value)]
        self.send(
            [
                {
                    "id": one["key"],
                    "write_date": one["changed"][:19],
                    **{
                        name: value for name, value in one.items() if name not in ("key", "changed")
                    },
                }
                for one in found[: body["limit"]]
            ]
        )

    def _odata(self, query: dict[str, str]) -> None:
        if "track-changes" in self.headers.get("prefer", "") or "delta" in query:
            self._odata_changes(query)
            return
        self.records.meanwhile()
        found = self.records.sorted(not query["$orderby"].startswith("modified"))
        for name, sign, value in re.findall(r"(\w+) (ge|lt|gt) (\S+)", query.get("$filter", "")):
            field = {"id": "key", "modified": "changed"}[name]
            wanted = value.strip("'") if name == "modified" else int(value)
            found = [one for one in found if _holds(one[field], sign, wanted)]
        found = found[: int(query["$top"])]
        # The server's own pages are smaller than what was asked for.
        begin = int(query.get("skip", 0))
        answer: dict[str, Any] = {"value": [_entity(one) for one in found[begin : begin + 3]]}
        if begin + 3 < len(found):
            self.path = re.sub(r"&skip=\d+", "", self.path)
            answer["@odata.nextLink"] = f"{self.path}&skip={begin + 3}"
        self.send(answer)

    def _odata_changes(self, query: dict[str, str]) -> None:
        begin = int(query.get("delta", -1))
        if 0 <= begin < self.records.first_change:
            self.send({"error": {"message": "the token has expired"}}, 410)
            return
        if begin < 0:
            page = [_entity(one) for one in self.records.by_key.values()]
        else:
            page = [
                {"@removed": {"reason": "deleted"}, "@id": f"Customers({key})"}
                if one is None
                else _entity(one)
                for key, one in self.records.changes[begin:]
            ]
        later = f"/odata/Customers?delta={len(self.records.changes)}"
        self.send({"value": page, "@odata.deltaLink": later})

    def _list(self, path: str, query: dict[str, str]) -> None:
        self.records.meanwhile()
        found = [
            {"id": one["key"], "updated_at": one["changed"], "name": one["name"]}
            for one in self.records.sorted()
            if _holds(one["changed"], ">=", query.get("since", ""))
        ]
        size = min(int(query.get("size", 4)), self.records.most)
        begin = int(query.get("offset", query.get("cursor", 0)))
        if "page" in query:
            begin = (int(query["page"]) - 1) * size
        if self.records.ends_with_404 and begin and begin >= len(found):
            self.send({"message": "no such page"}, 404)
            return
        page, end = found[begin : begin + size], begin + size
        more = end < len(found)
        host = f"http://{self.headers['host']}"
        link = f"{host}{path}?cursor={end}&since={query.get('since', '')}"
        headers = {"Link": f'<{link}>; rel="next"'} if more and "link" in path else {}
        self.send(
            {
                "data": {"items": page},
                "next": str(end) if more else None,
                "links": {"next": link if more else None},
            },
            200,
            **headers,
        )


def _entity(one: Record) -> Record:
    fields = {name: value for name, value in one.items() if name not in ("key", "changed")}
    return {"id": one["key"], "modified": one["changed"], **fields}


def _holds(found: Any, sign: str, wanted: Any) -> bool:
    if sign in (">=", "ge"):
        return bool(found >= wanted)
    if sign in ("<", "lt"):
        return bool(found < wanted)
    return bool(found > wanted)


def refuses(status: int, **headers: str) -> Fault:
    """Answer with this status."""

    def fault(handler: Handler) -> bool:
        handler.send({"message": "a fault"}, status, **headers)
        return True

    return fault


def cuts(handler: Handler) -> bool:
    """Promise more than is sent."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"data": [{"na')
    handler.close_connection = True
    return True


def sleeps(seconds: float) -> Fault:
    """Answer late."""

    def fault(handler: Handler) -> bool:
        time.sleep(seconds)
        return False

    return fault


def redirects(url: str) -> Fault:
    """Point elsewhere."""

    def fault(handler: Handler) -> bool:
        handler.send({}, 302, Location=url)
        return True

    return fault


def says(raw: bytes, kind: str = "text/html") -> Fault:
    """Answer with something else than JSON."""

    def fault(handler: Handler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw)
        return True

    return fault


@contextmanager
def serving(records: Records, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of a server on the loopback address, encrypted by ``context`` if there is one."""
    bound = type("Bound", (Handler,), {"records": records})
    server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
    server.daemon_threads = True
    # A handshake that is refused says so in the client; the server's own account is noise.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if context is not None:
        server.socket = context.wrap_socket(server.socket, True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        scheme = "http" if context is None else "https"
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
