"""The one list of Prometheus metrics; each name ends in its unit."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

_COMMIT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BATCH_BUCKETS = (1, 10, 50, 100, 250, 500, 1000, 2000, 5000)
_START_BUCKETS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)

EVENTS = Counter("headrace_events_total", "Records whose effects are committed", ["topic"])
BATCHES = Counter("headrace_batches_total", "Transactions of batches committed", ["topic"])
BATCH_RECORDS = Histogram(
    "headrace_batch_records", "Records in one committed batch", ["topic"], buckets=_BATCH_BUCKETS
)
DECODE_SECONDS = Histogram(
    "headrace_decode_seconds", "Decoding of one batch", ["topic"], buckets=_COMMIT_BUCKETS
)
COMMIT_SECONDS = Histogram(
    "headrace_commit_seconds",
    "One batch from the start of its transaction to its commit",
    ["topic"],
    buckets=_COMMIT_BUCKETS,
)
COMMIT_RETRIES = Counter(
    "headrace_commit_retries_total", "Transactions tried again, by SQLSTATE", ["sqlstate"]
)
FENCED = Counter(
    "headrace_fenced_total", "Batches refused since another worker owns the partition", ["topic"]
)
LAG = Gauge(
    "headrace_lag_records",
    "Records between the stored position and the end of the log",
    ["topic", "partition"],
)
DEAD_LETTERS = Counter("headrace_dead_letters_total", "Dead letters written", ["stage", "code"])
OUTBOX_DEPTH = Gauge("headrace_outbox_rows", "Changes that wait for the relay")
RELAYED = Counter("headrace_relayed_total", "Changes published to view topics", ["topic"])
RELAY_DELAY_SECONDS = Histogram(
    "headrace_relay_delay_seconds",
    "A change from its commit to its publication",
    buckets=_COMMIT_BUCKETS,
)
SOURCE_RECORDS = Counter("headrace_source_records_total", "Records read from sources", ["source"])
SOURCE_EVENTS = Counter(
    "headrace_source_events_total", "Documents published by sources", ["source", "document"]
)
SOURCE_WAITING = Gauge(
    "headrace_source_waiting_records", "Records that wait for a joined part", ["source"]
)
RESTARTS = Counter("headrace_restarts_total", "Processes started again", ["process", "reason"])
START_SECONDS = Histogram(
    "headrace_start_seconds", "Start of an embedded server", ["server"], buckets=_START_BUCKETS
)


def metric_names(registry: CollectorRegistry = REGISTRY) -> list[str]:
    """Names of all metrics of ours that ``registry`` serves, sorted."""
    return sorted(
        metric.name for metric in registry.collect() if metric.name.startswith("headrace_")
    )
