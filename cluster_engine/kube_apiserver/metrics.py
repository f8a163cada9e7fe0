"""``/metrics``: upstream's main series, and what went wrong inside.

Names, labels, help texts and buckets are those of k8s.io/apiserver/pkg/{endpoints,storage/etcd3}/metrics and of
k8s.io/component-base/metrics; a request takes no virtual time, so all of them lie in the lowest bucket. In a real
cluster each component serves its own page; here the work queues of all stand on this one.

A client in the cluster sees what follows from the cluster's state alone (``inside``): it may act by what it reads, and
a replay has to show it the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cluster_engine.apimachinery.scheme import Scheme
from cluster_engine.etcd import Store
from cluster_engine.sim import SECOND, Clock, parse_rfc3339

from .discovery import VERSION
from .exposition import Family, Histogram, Values
from .health import CHECKS
from .request_counts import Admitted, Asked, RequestCounts

_LATENCIES = (
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
)  # fmt: skip
_ADMISSION_LATENCIES = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5)
_QUEUED = (0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30)
_WAITS = tuple(10**power / SECOND for power in range(10))
MEMORY = 290_000_000
"""Bytes that the process uses: what its container is metered with, too."""
_DESCRIPTORS = 1 << 20
_APISERVER = "apiserver"
_ETCD = "etcd-0"
_BUILD = (
    "buildDate", "compiler", "gitCommit", "gitTreeState", "gitVersion", "goVersion", "major", "minor", "platform",
)  # fmt: skip
_ABOUT_BUILD = (
    "A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, "
    "Go version, and compiler from which Kubernetes was built, and platform on which it is running."
)
_ABOUT_OBJECTS = (
    "Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will "
    "be -1."
)
_ABOUT_UNFINISHED = (
    "How many seconds of work has done that is in progress and hasn't been observed by work_duration. Large values "
    "indicate stuck threads. One can deduce the number of stuck threads by observing the rate at which this increases."
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the page is made of. ``sessions``: the names of those that are open; ``seats``: of each priority level."""

    clock: Clock
    store: Store
    scheme: Scheme
    counts: RequestCounts
    sessions: Callable[[], list[str]]
    seats: Callable[[], dict[str, int]]


def families(of: Measured, inside: bool) -> list[Family]:
    """All of the page."""
    found = [*_of_process(of), *_of_storage(of), *_of_work(of)]
    return found if inside else [*found, *_of_requests(of), *_of_adds(of)]


def _of_process(of: Measured) -> list[Family]:
    system = of.store.get("namespaces", "kube-system")
    begun = 0 if system is None else parse_rfc3339(system["metadata"]["creationTimestamp"])
    checks: dict[Values, float] = {(check, path): 1 for path, checks in CHECKS.items() for check in checks}
    return [
        Family(
            "kubernetes_build_info", "gauge", _ABOUT_BUILD,
            ("build_date", "compiler", "git_commit", "git_tree_state", "git_version", "go_version", "major", "minor",
             "platform"),
            "ALPHA", {tuple(str(VERSION[name]) for name in _BUILD): 1},
        ),
        Family(
            "kubernetes_healthcheck", "gauge", "This metric records the result of a single healthcheck.",
            ("name", "type"), "STABLE", checks,
        ),
        Family(
            "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.",
            samples={(): 0},
        ),
        Family(
            "process_max_fds", "gauge", "Maximum number of open file descriptors.", samples={(): _DESCRIPTORS},
        ),
        Family(
            "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", samples={(): MEMORY},
        ),
        Family(
            "process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.",
            samples={(): begun / SECOND},
        ),
    ]  # fmt: skip


def _of_storage(of: Measured) -> list[Family]:
    stored = {
        kind.group_resource: kind for kind in of.scheme.kinds if not kind.answer and kind.stored is None
    }
    counts = {name: of.store.count(name) for name, kind in stored.items() if kind.computed is None}
    return [
        Family(
            "apiserver_resource_objects", "gauge", _ABOUT_OBJECTS, ("group", "resource"), "ALPHA",
            {(stored[name].group, stored[name].resource): count for name, count in counts.items()},
        ),
        Family(
            "apiserver_storage_objects", "gauge",
            "(Deprecated since 1.34.0) [DEPRECATED, consider using apiserver_resource_objects instead] "
            + _ABOUT_OBJECTS, ("resource",), "STABLE", {(name,): count for name, count in counts.items()},
        ),
        Family(
            "apiserver_storage_size_bytes", "gauge",
            "Size of the storage database file physically allocated in bytes.", ("storage_cluster_id",), "STABLE",
            {(_ETCD,): of.store.size()},
        ),
    ]  # fmt: skip


def _of_work(of: Measured) -> list[Family]:
    failures, queues = of.clock.failures, of.clock.queues
    idle: Mapping[Values, float] = {(name,): 0 for name in queues}
    return [
        Family(
            "drydock_failures_total", "counter", "Exceptions that nobody expected, by the component that met them.",
            ("component",), samples={(name,): count for name, count in failures.counts().items()},
        ),
        Family(
            "workqueue_depth", "gauge", "Current depth of workqueue", ("name",), "BETA",
            {(name,): len(queue) for name, queue in queues.items()},
        ),
        Family(
            "workqueue_longest_running_processor_seconds", "gauge",
            "How many seconds has the longest running processor for workqueue been running.", ("name",), "BETA", idle,
        ),
        Family(
            "workqueue_retries_total", "counter", "Total number of retries handled by workqueue", ("name",), "BETA",
            {**idle, **{(name,): count for name, count in failures.retries.items()}},
        ),
        Family("workqueue_unfinished_work_seconds", "gauge", _ABOUT_UNFINISHED, ("name",), "BETA", idle),
    ]  # fmt: skip


def _of_adds(of: Measured) -> list[Family]:
    """A key is worked on in no time, and waits for its queue's beat."""
    queues = of.clock.queues
    labels = ("name",)
    return [
        Family(
            "workqueue_adds_total", "counter", "Total number of adds handled by workqueue", labels, "BETA",
            {(name,): queue.adds for name, queue in queues.items()},
        ),
        Family(
            "workqueue_queue_duration_seconds", "histogram",
            "How long in seconds an item stays in workqueue before being requested.", labels, "BETA",
            {(name,): Histogram(_WAITS, queue.waits, queue.waited / SECOND) for name, queue in queues.items()},
        ),
        Family(
            "workqueue_work_duration_seconds", "histogram",
            "How long in seconds processing an item from workqueue takes.", labels, "BETA",
            {(name,): _at_once(sum(queue.waits), _WAITS) for name, queue in queues.items()},
        ),
    ]  # fmt: skip


def _of_requests(of: Measured) -> list[Family]:
    counts = of.counts
    labels = Asked._fields
    times: Counter[Asked] = Counter()
    for (asked, _code), count in counts.answered.items():
        if asked.verb != "WATCH":
            times[asked] += count
    now = of.clock.now
    wrote = counts.last_write >= 0 and now - counts.last_write <= SECOND
    deprecated: dict[Values, float] = {
        (asked.group, "", asked.resource, asked.subresource, asked.version): 1.0
        for asked, _code in counts.answered
        if (kind := of.scheme.served(asked.group, asked.version, asked.resource)) is not None
        and kind.deprecated
    }
    return [
        Family(
            "apiserver_current_inflight_requests", "gauge",
            "Maximal number of currently used inflight request limit of this apiserver per request kind in last "
            "second.", ("request_kind",), "STABLE", {("mutating",): int(wrote), ("readOnly",): 1},
        ),
        Family(
            "apiserver_longrunning_requests", "gauge",
            "Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope "
            "and component. Not all requests are tracked this way.", ("component", *labels[1:]), "STABLE",
            {(_APISERVER, *asked[1:]): count for asked, count in counts.running(of.sessions()).items()},
        ),
        Family(
            "apiserver_request_duration_seconds", "histogram",
            "Response latency distribution in seconds for each verb, dry run value, group, version, resource, "
            "subresource, scope and component.", ("component", *labels), "STABLE",
            {(_APISERVER, *asked): _at_once(count) for asked, count in times.items()},
        ),
        Family(
            "apiserver_request_total", "counter",
            "Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, "
            "component, and HTTP response code.", ("code", "component", *labels), "STABLE",
            {(str(code), _APISERVER, *asked): count for (asked, code), count in counts.answered.items()},
        ),
        Family(
            "apiserver_requested_deprecated_apis", "gauge",
            "Gauge of deprecated APIs that have been requested, broken out by API group, version, resource, "
            "subresource, and removed_release.", ("group", "removed_release", "resource", "subresource", "version"),
            "STABLE", deprecated,
        ),
        Family(
            "apiserver_response_sizes", "histogram",
            "Response size distribution in bytes for each group, version, verb, resource, subresource, scope and "
            "component.", ("component", *labels[1:]), "STABLE",
            {(_APISERVER, *asked[1:]): sizes for asked, sizes in counts.sizes.items()},
        ),
        *_of_admission(counts.admitted),
        *_of_flows(counts.dispatched, of.seats()),
        *_of_etcd(counts.stored),
    ]  # fmt: skip


def _of_admission(admitted: Counter[Admitted]) -> list[Family]:
    """What plugins were asked for clients' writes: of each one that a write concerns, and of a step as a whole."""
    plugins = {asked: count for asked, count in admitted.items() if asked.name}
    steps = {asked[1:]: count for asked, count in admitted.items() if not asked.name}
    labels = Admitted._fields
    return [
        Family(
            "apiserver_admission_controller_admission_duration_seconds", "histogram",
            "Admission controller latency histogram in seconds, identified by name and broken out for each operation "
            "and API resource and type (validate or admit).", labels, "STABLE",
            {asked: _at_once(count, _ADMISSION_LATENCIES) for asked, count in plugins.items()},
        ),
        Family(
            "apiserver_admission_step_admission_duration_seconds", "histogram",
            "Admission sub-step latency histogram in seconds, broken out for each operation and API resource and step "
            "type (validate or admit).", labels[1:], "STABLE",
            {asked: _at_once(count, _ADMISSION_LATENCIES) for asked, count in steps.items()},
        ),
    ]  # fmt: skip


def _of_flows(dispatched: Counter[tuple[str, str]], seats: dict[str, int]) -> list[Family]:
    """Priority and fairness: every request is worked on at once."""
    of_schema: dict[Values, float] = {(schema, level): count for (level, schema), count in dispatched.items()}
    idle: dict[Values, float] = dict.fromkeys(of_schema, 0)
    labels, start = ("flow_schema", "priority_level"), "apiserver_flowcontrol_"
    about = "requests in the API Priority and Fairness subsystem"
    return [
        Family(
            f"{start}current_executing_requests", "gauge",
            "Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API Priority "
            "and Fairness subsystem", labels, "BETA", idle,
        ),
        Family(
            f"{start}current_executing_seats", "gauge",
            "Concurrency (number of seats) occupied by the currently executing (initial stage for a WATCH, any stage "
            f"otherwise) {about}", labels, "BETA", idle,
        ),
        Family(
            f"{start}current_inqueue_requests", "gauge",
            "Number of requests currently pending in queues of the API Priority and Fairness subsystem", labels,
            "BETA", idle,
        ),
        Family(
            f"{start}dispatched_requests_total", "counter",
            "Number of requests executed by API Priority and Fairness subsystem", labels, "BETA", of_schema,
        ),
        Family(
            f"{start}nominal_limit_seats", "gauge",
            "Nominal number of execution seats configured for each priority level", ("priority_level",), "BETA",
            {(level,): count for level, count in seats.items()},
        ),
        Family(
            f"{start}request_wait_duration_seconds", "histogram",
            "Length of time a request spent waiting in its queue", ("execute", *labels), "BETA",
            {("true", *values): _at_once(int(count), _QUEUED) for values, count in of_schema.items()},
        ),
    ]  # fmt: skip


def _of_etcd(stored: Counter[tuple[str, str]]) -> list[Family]:
    """What clients' writes asked of etcd; reads are answered without it, as upstream's cache does."""
    asked: dict[Values, int] = {}
    for (verb, resource), count in stored.items():
        plural, _, group = resource.partition(".")
        asked[group, verb, plural] = count
    labels = ("group", "operation", "resource")
    return [
        Family(
            "etcd_request_duration_seconds", "histogram",
            "Etcd request latency in seconds for each operation and object type.", labels, "ALPHA",
            {values: _at_once(count) for values, count in asked.items()},
        ),
        Family(
            "etcd_requests_total", "counter", "Etcd request counts for each operation and object type.", labels,
            "ALPHA", asked,
        ),
    ]  # fmt: skip


def _at_once(count: int, bounds: Sequence[float] = _LATENCIES) -> Histogram:
    found = Histogram(bounds)
    found.observe(0.0, count)
    return found
