"""autoscaling/v1 and events.k8s.io/v1 over HTTP: one storage, two ways to it."""

from __future__ import annotations

from typing import Any

import orjson
from apiserver_bench import Bench

JSON = dict[str, Any]
FIRST = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
SECOND = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
CORE = "/api/v1/namespaces/default/events"
NEWER = "/apis/events.k8s.io/v1/namespaces/default/events"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def autoscaler(**spec: Any) -> JSON:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": target, "maxReplicas": 3, **spec},
    }


def event(name: str = "e", **more: Any) -> JSON:
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": name},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "example.com/own",
        "reportingInstance": "own-1",
        "action": "Looking",
        "reason": "Looked",
        "regarding": {"kind": "Pod", "name": "p", "namespace": "default"},
        "note": "all is well",
        "type": "Normal",
        **more,
    }


def test_an_autoscaler_of_the_first_version(bench: Bench) -> None:
    made = bench.ok("POST", FIRST, autoscaler(targetCPUUtilizationPercentage=60))
    assert made["spec"]["minReplicas"] == 1
    assert made["spec"]["targetCPUUtilizationPercentage"] == 60
    assert made["metadata"]["managedFields"][0]["apiVersion"] == "autoscaling/v1"
    [metric] = bench.ok("GET", f"{SECOND}/web")["spec"]["metrics"]
    assert metric["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}
    patch = {"spec": {"targetCPUUtilizationPercentage": 70}}
    merge = "application/merge-patch+json"
    assert bench.ok("PATCH", f"{FIRST}/web", patch, content_type=merge)["spec"] == {
        **made["spec"], "targetCPUUtilizationPercentage": 70,
    }  # fmt: skip
    rows = orjson.loads(bench.call("GET", FIRST, accept=TABLE).body)["rows"]
    assert rows[0]["cells"][:3] == ["web", "Deployment/web", "cpu: <unknown>/70%"]


def test_without_a_target_the_first_version_has_the_usual_one(bench: Bench) -> None:
    assert bench.ok("POST", FIRST, autoscaler())["spec"]["targetCPUUtilizationPercentage"] == 80


def test_the_second_version_is_preferred(bench: Bench) -> None:
    group = bench.ok("GET", "/apis/autoscaling")
    assert [each["version"] for each in group["versions"]] == ["v2", "v1"]
    assert group["preferredVersion"]["version"] == "v2"


def test_one_event_in_two_groups(bench: Bench) -> None:
    made = bench.ok("POST", NEWER, event())
    assert (made["apiVersion"], made["note"]) == ("events.k8s.io/v1", "all is well")
    core = bench.ok("GET", f"{CORE}/e")
    assert (core["apiVersion"], core["message"]) == ("v1", "all is well")
    assert core["metadata"]["uid"] == made["metadata"]["uid"]
    older = {"involvedObject": {"kind": "Pod", "name": "q", "namespace": "default"}, "message": "m"}
    bench.ok("POST", CORE, {"metadata": {"name": "f"}, **older})
    listed = bench.ok("GET", NEWER)
    assert listed["apiVersion"] == "events.k8s.io/v1"
    assert [(item["metadata"]["name"], item["note"]) for item in listed["items"]] == [
        ("e", "all is well"), ("f", "m"),
    ]  # fmt: skip
    chosen = bench.ok("GET", NEWER, fieldSelector="regarding.name=q")["items"]
    assert [item["metadata"]["name"] for item in chosen] == ["f"]
    assert bench.error("GET", NEWER, fieldSelector="involvedObject.name=q")[0] == 400
    bench.ok("DELETE", f"{NEWER}/e")
    assert bench.error("GET", f"{CORE}/e")[0] == 404


def test_events_are_watched_in_their_group(bench: Bench) -> None:
    response = bench.call("GET", NEWER, watch="1")
    assert response.stream is not None
    bench.ok("POST", NEWER, event())
    frame = orjson.loads(response.stream.take().splitlines()[0])
    assert (frame["type"], frame["object"]["apiVersion"]) == ("ADDED", "events.k8s.io/v1")
    assert frame["object"]["regarding"]["name"] == "p"
    response.stream.cancel()


def test_the_newer_group_is_stricter(bench: Bench) -> None:
    refused = bench.error("POST", NEWER, event(type="Odd", deprecatedCount=1))
    assert refused[0] == 422
    assert 'type: Invalid value: "": has invalid value: Odd' in refused[2]
    assert 'count: Invalid value: "": needs to be unset' in refused[2]
    made = bench.ok("POST", NEWER, event())
    assert bench.error("PUT", f"{NEWER}/e", {**made, "reason": "Other"})[2].endswith(
        'reason: Invalid value: "Other": field is immutable'
    )
    series = {"count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"}
    assert bench.ok("PUT", f"{NEWER}/e", {**made, "series": series})["series"] == series
