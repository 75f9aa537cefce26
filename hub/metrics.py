"""The one list of Prometheus metrics; each name ends in its unit."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_COMMIT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_START_BUCKETS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)

#: What the process of ``headrace up`` sets itself; all other metrics are set by its children.
HUB = CollectorRegistry()

LAG = Gauge(
    "headrace_lag_records",
    "Records between the stored positions and the end of the topic",
    ["topic"],
    registry=HUB,
)
OUTBOX_DEPTH = Gauge("headrace_outbox_rows", "Changes that wait for the relay", registry=HUB)
BACKLOG_SEEN = Gauge(
    "headrace_backlog_seen_timestamp_seconds",
    "When lag and outbox were last looked at (Unix time)",
    registry=HUB,
)
RESTARTS = Counter(
    "headrace_restarts_total", "Processes started again", ["process", "reason"], registry=HUB
)
START_SECONDS = Histogram(
    "headrace_start_seconds",
    "Start of an embedded server",
    ["server"],
    buckets=_START_BUCKETS,
    registry=HUB,
)

EVENTS = Counter("headrace_events_total", "Records whose effects are committed", ["topic"])
BATCHES = Counter("headrace_batches_total", "Transactions of batches committed", ["topic"])
COMMIT_SECONDS = Histogram(
    "headrace_commit_seconds",
    "One batch from the start of its transaction to its end",
    ["topic"],
    buckets=_COMMIT_BUCKETS,
)
DEAD_LETTERS = Counter("headrace_dead_letters_total", "Dead letters written", ["stage", "code"])
RELAYED = Counter("headrace_relayed_records_total", "Changes published to view topics", ["topic"])
SOURCE_RECORDS = Counter("headrace_source_records_total", "Records read from sources", ["source"])
SOURCE_EVENTS = Counter(
    "headrace_source_events_total", "Documents published by sources", ["source", "document"]
)
SOURCE_WAITING = Gauge(
    "headrace_source_waiting_records",
    "Records that wait for a joined part",
    ["source"],
    multiprocess_mode="mostrecent",
)
SOURCE_FAILING = Gauge(
    "headrace_source_failing",
    "1 while a source that is followed cannot be read",
    ["source"],
    multiprocess_mode="mostrecent",
)
HTTP_REQUESTS = Counter(
    "headrace_http_requests_total", "Requests answered at the HTTP door", ["route", "status"]
)
HTTP_SECONDS = Histogram(
    "headrace_http_request_seconds",
    "A request at the HTTP door from its first byte to its answer",
    ["route"],
    buckets=_COMMIT_BUCKETS,
)
HTTP_EVENTS = Counter(
    "headrace_http_events_total", "Events handed in at the HTTP door", ["document", "outcome"]
)
