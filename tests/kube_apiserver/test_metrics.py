"""``/metrics``: upstream's main series, as a Prometheus reads them."""

import json
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cluster_engine import Cluster
from cluster_engine.container_runtime.images.system import IMAGES
from cluster_engine.kube_apiserver import ADMIN, Request, Response, UserInfo, request_counts
from cluster_engine.kube_apiserver.exposition import Family, Histogram, number, page
from cluster_engine.kube_apiserver.metrics import MEMORY
from cluster_engine.kube_apiserver.requests import parse
from cluster_engine.sim import Journal

HEADERS = {"content-type": "application/json", "accept": "application/json"}
MAPS = "/api/v1/namespaces/default/configmaps"
REQUEST = ("component", "dry_run", "group", "resource", "scope", "subresource", "verb", "version")
UPSTREAM = {
    "apiserver_admission_controller_admission_duration_seconds": (
        "histogram",
        "STABLE",
        ("name", "operation", "rejected", "type"),
    ),
    "apiserver_admission_step_admission_duration_seconds": (
        "histogram",
        "STABLE",
        ("operation", "rejected", "type"),
    ),
    "apiserver_current_inflight_requests": ("gauge", "STABLE", ("request_kind",)),
    **{
        f"apiserver_flowcontrol_{name}": (kind, "BETA", labels)
        for name, kind, labels in (
            ("current_executing_requests", "gauge", ("flow_schema", "priority_level")),
            ("current_executing_seats", "gauge", ("flow_schema", "priority_level")),
            ("current_inqueue_requests", "gauge", ("flow_schema", "priority_level")),
            ("dispatched_requests_total", "counter", ("flow_schema", "priority_level")),
            ("nominal_limit_seats", "gauge", ("priority_level",)),
            ("request_wait_duration_seconds", "histogram", ("execute", "flow_schema", "priority_level")),
        )
    },
    "apiserver_longrunning_requests": (
        "gauge",
        "STABLE",
        ("component", "group", "resource", "scope", "subresource", "verb", "version"),
    ),
    "apiserver_request_duration_seconds": ("histogram", "STABLE", REQUEST),
    "apiserver_request_total": ("counter", "STABLE", ("code", *REQUEST)),
    "apiserver_requested_deprecated_apis": (
        "gauge",
        "STABLE",
        ("group", "removed_release", "resource", "subresource", "version"),
    ),
    "apiserver_resource_objects": ("gauge", "ALPHA", ("group", "resource")),
    "apiserver_response_sizes": (
        "histogram",
        "STABLE",
        ("component", "group", "resource", "scope", "subresource", "verb", "version"),
    ),
    "apiserver_storage_objects": ("gauge", "STABLE", ("resource",)),
    "apiserver_storage_size_bytes": ("gauge", "STABLE", ("storage_cluster_id",)),
    "etcd_request_duration_seconds": ("histogram", "ALPHA", ("group", "operation", "resource")),
    "etcd_requests_total": ("counter", "ALPHA", ("group", "operation", "resource")),
    "kubernetes_build_info": (
        "gauge",
        "ALPHA",
        (
            "build_date",
            "compiler",
            "git_commit",
            "git_tree_state",
            "git_version",
            "go_version",
            "major",
            "minor",
            "platform",
        ),
    ),
    "kubernetes_healthcheck": ("gauge", "STABLE", ("name", "type")),
    "process_cpu_seconds_total": ("counter", "", ()),
    "process_max_fds": ("gauge", "", ()),
    "process_resident_memory_bytes": ("gauge", "", ()),
    "process_start_time_seconds": ("gauge", "", ()),
    "workqueue_adds_total": ("counter", "BETA", ("name",)),
    "workqueue_depth": ("gauge", "BETA", ("name",)),
    "workqueue_longest_running_processor_seconds": ("gauge", "BETA", ("name",)),
    "workqueue_queue_duration_seconds": ("histogram", "BETA", ("name",)),
    "workqueue_retries_total": ("counter", "BETA", ("name",)),
    "workqueue_unfinished_work_seconds": ("gauge", "BETA", ("name",)),
    "workqueue_work_duration_seconds": ("histogram", "BETA", ("name",)),
}
"""Type, stability and labels, as test/instrumentation/documentation lists them."""


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=1, freezing=True, strict=True, addons=False)
    cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def ask(cluster: Cluster, method: str, path: str, body: Any = None, **headers: str) -> Response:
    path, _, query = path.partition("?")
    pairs: list[tuple[str, str]] = [
        (k, v) for k, _, v in (part.partition("=") for part in query.split("&") if part)
    ]
    data = b"" if body is None else json.dumps(body).encode()
    return cluster.request(Request(method, path, pairs, {**HEADERS, **headers}, data, ADMIN))


def scraped(cluster: Cluster, inside: bool = False) -> dict[str, Any]:
    """The families of the page, by name."""
    reply = cluster.request(Request("GET", "/metrics", user=ADMIN, inside=inside))
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {}
    for family in text_string_to_metric_families(reply.body.decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = family
    return found


def values(family: Any, **wanted: str) -> dict[tuple[str, ...], float]:
    """The values whose labels are these, by the other labels that say something."""
    return {
        (
            sample.name.removeprefix(family.name),
            *(v for k, v in sorted(sample.labels.items()) if k not in wanted and v),
        ): sample.value
        for sample in family.samples
        if all(sample.labels.get(k) == v for k, v in wanted.items())
    }


def config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def test_each_family_has_upstreams_type_help_and_labels(cluster: Cluster) -> None:
    ask(cluster, "POST", MAPS, config_map("a"))
    ask(cluster, "GET", "/api/v1/componentstatuses")
    watch = ask(cluster, "GET", f"{MAPS}?watch=1")
    found = scraped(cluster)
    assert watch.stream is not None
    assert set(UPSTREAM) <= set(found)
    for name, (kind, stability, labels) in UPSTREAM.items():
        family = found[name]
        assert family.type == kind, name
        assert family.documentation.startswith(f"[{stability}] ") == bool(stability), name
        for sample in family.samples:
            assert tuple(sorted(sample.labels.keys() - {"le"})) == labels, name


ROWS = [
    ("get", "GET", f"{MAPS}/a", None, {}, ("GET", "resource", "", "200")),
    ("absent", "GET", f"{MAPS}/none", None, {}, ("GET", "resource", "", "404")),
    ("list", "GET", MAPS, None, {}, ("LIST", "namespace", "", "200")),
    ("list all", "GET", "/api/v1/configmaps", None, {}, ("LIST", "cluster", "", "200")),
    ("create", "POST", MAPS, config_map("b"), {}, ("POST", "resource", "", "201")),
    ("exists", "POST", MAPS, config_map("a"), {}, ("POST", "resource", "", "409")),
    ("dry", "POST", f"{MAPS}?dryRun=All", config_map("c"), {}, ("POST", "resource", "All", "201")),
    ("put", "PUT", f"{MAPS}/a", config_map("a"), {}, ("PUT", "resource", "", "200")),
    (
        "patch",
        "PATCH",
        f"{MAPS}/a",
        {"data": {"x": "y"}},
        {"content-type": "application/merge-patch+json"},
        ("PATCH", "resource", "", "200"),
    ),
    (
        "apply",
        "PATCH",
        f"{MAPS}/a?fieldManager=me",
        config_map("a"),
        {"content-type": "application/apply-patch+yaml"},
        ("APPLY", "resource", "", "200"),
    ),
    ("delete", "DELETE", f"{MAPS}/a", None, {}, ("DELETE", "resource", "", "200")),
    ("delete all", "DELETE", MAPS, None, {}, ("DELETE", "namespace", "", "200")),
    ("watch", "GET", f"{MAPS}?watch=true", None, {}, ("WATCH", "namespace", "", "200")),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "counted"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS]
)
def test_a_request_is_counted_as_upstream_counts_it(
    cluster: Cluster, method: str, path: str, body: Any, headers: dict[str, str], counted: tuple[str, ...]
) -> None:
    cluster.apply(config_map("a"))
    before = (
        values(scraped(cluster)["apiserver_request_total"], resource="configmaps")
        if "apiserver_request_total" in scraped(cluster)
        else {}
    )
    ask(cluster, method, path, body, **headers)
    after = values(scraped(cluster)["apiserver_request_total"], resource="configmaps")
    verb, scope, dry, code = counted
    key = ("_total", code, "apiserver", *([dry] if dry else []), scope, verb, "v1")
    assert {k: v - before.get(k, 0) for k, v in after.items() if v != before.get(k, 0)} == {key: 1}


def test_what_was_refused_before_it_found_somebody_is_not_counted(cluster: Cluster) -> None:
    jane = UserInfo("jane")
    for path, user in ((MAPS, jane), ("/api/v1/nonsense", ADMIN), (f"{MAPS}/a/nonsense", ADMIN)):
        assert cluster.request(Request("GET", path, user=user)).status in (403, 404)
    assert "apiserver_request_total" not in scraped(cluster)


def test_sizes_times_and_what_etcd_was_asked(cluster: Cluster) -> None:
    for name in ("a", "b"):
        ask(cluster, "POST", MAPS, config_map(name))
    size = len(ask(cluster, "GET", MAPS).body)
    found = scraped(cluster)
    sizes = values(found["apiserver_response_sizes"], resource="configmaps", verb="LIST")
    assert sizes["_sum", "apiserver", "namespace", "v1"] == size
    assert sizes["_count", "apiserver", "namespace", "v1"] == 1
    times = values(found["apiserver_request_duration_seconds"], resource="configmaps", verb="POST")
    assert times["_bucket", "apiserver", "0.005", "resource", "v1"] == 2
    assert times["_sum", "apiserver", "resource", "v1"] == 0
    assert values(found["etcd_requests_total"], resource="configmaps") == {("_total", "create"): 2}
    objects = values(found["apiserver_storage_objects"], resource="configmaps")
    assert objects[("",)] == cluster.store.count("configmaps")
    assert found["apiserver_storage_size_bytes"].samples[0].value == cluster.store.size()


def test_a_watch_runs_until_it_is_closed(cluster: Cluster) -> None:
    watch = ask(cluster, "GET", f"{MAPS}?watch=1")
    assert watch.stream is not None
    running = values(scraped(cluster)["apiserver_longrunning_requests"], verb="WATCH")
    assert running == {("", "apiserver", "configmaps", "namespace", "v1"): 1}
    watch.stream.cancel()
    assert "apiserver_longrunning_requests" not in scraped(cluster)


def test_sessions_are_forgotten_though_nobody_reads_the_page() -> None:
    counts, path = request_counts.RequestCounts(), "/api/v1/namespaces/default/pods/a/exec"
    request = Request("POST", path, user=ADMIN)
    for each in range(9):
        counts.session(request, parse(request), f"s{each}", [f"s{each - 1}"])
    assert list(counts._sessions) == ["s7", "s8"]
    assert sum(counts.running(["s8"]).values()) == 1


def test_health_is_counted_by_its_path(cluster: Cluster) -> None:
    ask(cluster, "GET", "/livez")
    ask(cluster, "GET", "/livez/nonsense")
    assert values(scraped(cluster)["apiserver_request_total"]) == {
        ("_total", "200", "apiserver", "/livez", "GET"): 1
    }


def test_a_fork_counts_on_and_a_replay_counts_what_was_written(cluster: Cluster) -> None:
    ask(cluster, "POST", MAPS, config_map("a"))
    ask(cluster, "GET", MAPS)
    told = values(scraped(cluster)["apiserver_request_total"])
    assert values(scraped(cluster.fork())["apiserver_request_total"]) == told
    replayed = Cluster.replay(Journal.from_dict(cluster.journal.as_dict()))
    assert values(scraped(replayed)["apiserver_request_total"]) == {
        k: v for k, v in told.items() if "POST" in k
    }


def test_who_asks_from_inside_sees_what_a_replay_shows_again(cluster: Cluster) -> None:
    ask(cluster, "GET", MAPS)
    found = scraped(cluster, inside=True)
    assert "apiserver_storage_objects" in found
    assert not {"apiserver_request_total", "workqueue_adds_total"} & set(found)
    restored = Cluster.restore(cluster.snapshot())
    assert page_of(restored, inside=True) == page_of(cluster, inside=True)


def page_of(cluster: Cluster, inside: bool) -> bytes:
    return cluster.request(Request("GET", "/metrics", user=ADMIN, inside=inside)).body


def test_a_monitor_may_read_it(cluster: Cluster) -> None:
    monitor = UserInfo("prometheus", groups=("system:monitoring", "system:authenticated"))
    assert cluster.request(Request("GET", "/metrics", user=monitor)).status == 200
    assert cluster.request(Request("GET", "/metrics", user=UserInfo("jane"))).status == 403


def test_series_beyond_the_limit_are_not_counted(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_counts, "SERIES_KEPT", 1)
    for path in (MAPS, "/api/v1/nodes", MAPS):
        ask(cluster, "GET", path)
    assert list(values(scraped(cluster)["apiserver_request_total"]).values()) == [2]


NUMBERS = [
    (0, "0"),
    (1, "1"),
    (0.005, "0.005"),
    (1e6, "1e+06"),
    (123456, "123456"),
    (1234567, "1.234567e+06"),
]
NUMBERS += [(1e9, "1e+09"), (1.76e9, "1.76e+09"), (1e-5, "1e-05"), (2.5, "2.5"), (1e-4, "0.0001"), (-1, "-1")]


@pytest.mark.parametrize(("value", "text"), NUMBERS, ids=[text for _, text in NUMBERS])
def test_numbers_as_go_writes_them(value: float, text: str) -> None:
    assert number(value) == text


def test_the_text_form() -> None:
    times = Histogram((0.1, 1.0))
    for value in (0.1, 0.5, 7.0):
        times.observe(value)
    families = [
        Family("b_seconds", "histogram", "How long.", ("a",), "BETA", {('x"\\\n',): times}),
        Family("a_total", "counter", "How many.", samples={(): 3}),
        Family("nothing", "gauge", "Of no value."),
    ]
    assert page(families).decode().splitlines() == [
        "# HELP a_total How many.",
        "# TYPE a_total counter",
        "a_total 3",
        "# HELP b_seconds [BETA] How long.",
        "# TYPE b_seconds histogram",
        'b_seconds_bucket{a="x\\"\\\\\\n",le="0.1"} 1',
        'b_seconds_bucket{a="x\\"\\\\\\n",le="1"} 2',
        'b_seconds_bucket{a="x\\"\\\\\\n",le="+Inf"} 3',
        'b_seconds_sum{a="x\\"\\\\\\n"} 7.6',
        'b_seconds_count{a="x\\"\\\\\\n"} 3',
    ]


ADMISSION: dict[str, tuple[str, str, Any, dict[str, str], dict[tuple[str, ...], float]]] = {
    "let through": (
        "POST",
        MAPS,
        config_map("asked"),
        {},
        {("NamespaceLifecycle", "CREATE", "false", "admit"): 1},
    ),
    "one that changes": (
        "POST",
        "/api/v1/namespaces/default/pods",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p"},
            "spec": {"containers": [{"name": "c", "image": "nginx"}]},
        },
        {},
        {
            ("ServiceAccount", "CREATE", "false", "admit"): 1,
            ("Priority", "CREATE", "false", "admit"): 1,
        },
    ),
    "an update": (
        "PATCH",
        "/api/v1/nodes/worker-1",
        {"metadata": {"labels": {"x": "y"}}},
        {"content-type": "application/merge-patch+json"},
        {},
    ),
    "refused": (
        "POST",
        "/api/v1/namespaces/none/configmaps",
        config_map("a"),
        {},
        {("NamespaceLifecycle", "CREATE", "true", "admit"): 1},
    ),
}


@pytest.mark.parametrize(("method", "path", "body", "headers", "told"), ADMISSION.values(), ids=ADMISSION)
def test_what_admission_was_asked(
    cluster: Cluster,
    method: str,
    path: str,
    body: Any,
    headers: dict[str, str],
    told: dict[tuple[str, ...], float],
) -> None:
    ask(cluster, "POST", MAPS, config_map("a"))
    before = admitted(cluster)
    reply = ask(cluster, method, path, body, **headers)
    record = cluster.request_trail(reply.headers["audit-id"])
    assert record is not None
    after = admitted(cluster)
    grown = {key: count - before.get(key, 0) for key, count in after.items() if count != before.get(key, 0)}
    stations = record["admission"]
    assert sum(grown.values()) == len(stations)
    assert told.items() <= grown.items()
    fork = cluster.fork()
    assert admitted(fork) == after


def admitted(cluster: Cluster) -> dict[tuple[str, ...], float]:
    """How often each plugin was asked: (name, operation, rejected, type) -> count."""
    family = scraped(cluster).get("apiserver_admission_controller_admission_duration_seconds")
    if family is None:
        return {}
    return {
        tuple(sample.labels[name] for name in ("name", "operation", "rejected", "type")): sample.value
        for sample in family.samples
        if sample.name.endswith("_count")
    }


def test_how_long_keys_wait(cluster: Cluster) -> None:
    """A key waits for its queue's beat: longer than nothing, and no longer than a moment of a settled cluster."""
    ask(cluster, "POST", MAPS, config_map("a"))
    cluster.settle()
    found = scraped(cluster)
    waits, works = (
        {
            (sample.labels["name"], sample.labels.get("le", sample.name.rpartition("_")[2])): sample.value
            for sample in found[f"workqueue_{each}_duration_seconds"].samples
        }
        for each in ("queue", "work")
    )
    queues = {name for name, _ in waits}
    assert queues == {name for name, _ in works}
    for name in queues:
        assert waits[name, "count"] == works[name, "count"] == waits[name, "+Inf"]
        assert works[name, "1e-06"] == works[name, "count"]
    assert any(0 < waits[name, "sum"] / waits[name, "count"] < 1 for name in queues if waits[name, "count"])
    assert sum(waits[name, "0.0001"] < waits[name, "count"] for name in queues) > 1
    assert scraped(cluster, inside=True).keys() & {"workqueue_queue_duration_seconds"} == set()


def test_the_process_uses_what_its_container_is_metered_with() -> None:
    image = next(each for each in IMAGES if each.repository.endswith("/kube-apiserver"))
    assert image.memory == MEMORY


def test_flow_control_counts_requests_and_shares_its_seats(cluster: Cluster) -> None:
    def dispatched() -> dict[tuple[str, ...], float]:
        return values(scraped(cluster)["apiserver_flowcontrol_dispatched_requests_total"])

    before = dispatched()
    ask(cluster, "GET", MAPS)
    jane = UserInfo("jane", groups=("system:authenticated",))
    cluster.request(Request("GET", MAPS, user=jane))
    after = dispatched()
    # Each look at the page is a request, too.
    assert after["_total", "exempt", "exempt"] - before["_total", "exempt", "exempt"] == 2
    assert after["_total", "global-default", "global-default"] == 1
    # What every real API server with its usual limits shows.
    assert values(scraped(cluster)["apiserver_flowcontrol_nominal_limit_seats"]) == {
        ("", "catch-all"): 13, ("", "exempt"): 0, ("", "global-default"): 49, ("", "leader-election"): 25,
        ("", "node-high"): 98, ("", "system"): 74, ("", "workload-high"): 98, ("", "workload-low"): 245,
    }  # fmt: skip
