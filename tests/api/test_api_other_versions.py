"""autoscaling/v1 and events.k8s.io/v1: the way there and back."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from api_bench import BY_KIND, load

from cluster_engine.api.autoscaling import first_version
from cluster_engine.api.core.v1 import events_group
from cluster_engine.apimachinery.cow import freeze

JSON = dict[str, Any]
NOTE = "autoscaling.alpha.kubernetes.io/"
CPU = load("{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}")
# id: (a metric of v2, how v1 writes it)
METRICS = {
    "memory": (
        "{type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 1Gi}}}",
        "{type: Resource, resource: {name: memory, targetAverageValue: 1Gi}}",
    ),
    "of a container": (
        "{type: ContainerResource, containerResource: {name: cpu, container: web, "
        "target: {type: Utilization, averageUtilization: 5}}}",
        "{type: ContainerResource, containerResource: {name: cpu, targetAverageUtilization: 5, container: web}}",
    ),
    "of Pods": (
        "{type: Pods, pods: {metric: {name: rps, selector: {matchLabels: {a: b}}}, "
        "target: {type: AverageValue, averageValue: '10'}}}",
        "{type: Pods, pods: {metricName: rps, selector: {matchLabels: {a: b}}, targetAverageValue: '10'}}",
    ),
    "of an object": (
        "{type: Object, object: {describedObject: {kind: Ingress, name: web}, metric: {name: rps}, "
        "target: {type: Value, value: 2k}}}",
        "{type: Object, object: {target: {kind: Ingress, name: web}, metricName: rps, targetValue: 2k}}",
    ),
    "from outside": (
        "{type: External, external: {metric: {name: queue, selector: {matchLabels: {a: b}}}, "
        "target: {type: AverageValue, averageValue: '30'}}}",
        "{type: External, external: {metricName: queue, metricSelector: {matchLabels: {a: b}}, "
        "targetAverageValue: '30'}}",
    ),
}


def stored(**spec: Any) -> JSON:
    return freeze(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web", "annotations": {"own": "a"}},
            "spec": {"maxReplicas": 3, **spec},
            "status": {"desiredReplicas": 1, "currentReplicas": 1},
        }
    )


@pytest.mark.parametrize(("newer", "older"), METRICS.values(), ids=METRICS)
def test_metrics_stand_in_an_annotation(newer: str, older: str) -> None:
    there = stored(metrics=[load(newer), CPU])
    shown = first_version.from_v2(there)
    assert shown["spec"] == {"maxReplicas": 3, "targetCPUUtilizationPercentage": 60}
    assert orjson.loads(shown["metadata"]["annotations"][NOTE + "metrics"]) == [load(older)]
    assert first_version.to_v2(freeze(shown)) == there


def test_behavior_conditions_and_what_was_measured() -> None:
    rules = {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 15}], "selectPolicy": "Max"}
    current = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 7}}}]
    condition = {"type": "AbleToScale", "status": "True", "lastTransitionTime": None, "reason": "R"}
    there = stored(behavior={"scaleUp": rules})
    there = freeze(
        {**there, "status": {**there["status"], "currentMetrics": current, "conditions": [condition]}}
    )
    shown = first_version.from_v2(there)
    assert shown["status"] == {
        "desiredReplicas": 1, "currentReplicas": 1, "currentCPUUtilizationPercentage": 7,
    }  # fmt: skip
    notes = shown["metadata"]["annotations"]
    assert notes[NOTE + "behavior"] == (
        '{"ScaleUp":{"Policies":[{"Type":"Pods","Value":2,"PeriodSeconds":15}],"SelectPolicy":"Max"}}'
    )
    assert orjson.loads(notes[NOTE + "conditions"]) == [condition]
    assert first_version.to_v2(freeze(shown)) == there


BROKEN = {
    "no JSON": "{",
    "no list": "{}",
    "no objects": "[1]",
    "no source": '[{"type":"Resource","resource":[]}]',
    "another type": '[{"type":"Resource","resource":{"name":7}}]',
    "deep": "[" * 200 + "]" * 200,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("name", ["metrics", "behavior", "current-metrics"])
def test_annotations_that_say_nothing_are_dropped(name: str, text: str) -> None:
    given = {**stored(targetCPUUtilizationPercentage=60), "metadata": {"annotations": {NOTE + name: text}}}
    made = first_version.to_v2(freeze(given))
    assert made["spec"] == {"maxReplicas": 3, "metrics": [CPU]}
    assert made["metadata"] == {}
    assert made["status"] == given["status"]


def test_nothing_is_made_of_nothing() -> None:
    bare = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"}}
    assert first_version.to_v2(freeze(bare)) == bare
    assert first_version.from_v2(freeze(bare)) == bare
    assert first_version.default(freeze(bare))["spec"] == {"minReplicas": 1}


EVENT: JSON = {
    "apiVersion": "events.k8s.io/v1",
    "kind": "Event",
    "metadata": {"name": "e", "namespace": "default"},
    "eventTime": "2026-01-01T00:00:00.000000Z",
    "reportingController": "example.com/own",
    "reportingInstance": "own-1",
    "action": "Looking",
    "reason": "Looked",
    "regarding": {"kind": "Pod", "name": "p", "namespace": "default"},
    "note": "all is well",
    "type": "Normal",
}
LONG = "x" * 129
NAME = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
# id: (change, expected errors)
EVENTS = {
    "no time": ({"eventTime": None}, ["eventTime: Required value"]),
    "no type": ({"type": None}, ['type: Invalid value: "": has invalid value: ']),
    "another type": ({"type": "Odd"}, ['type: Invalid value: "": has invalid value: Odd']),
    "first time": (
        {"deprecatedFirstTimestamp": "2026-01-01T00:00:00Z"},
        ['firstTimestamp: Invalid value: "": needs to be unset'],
    ),
    "last time": (
        {"deprecatedLastTimestamp": "2026-01-01T00:00:00Z"},
        ['lastTimestamp: Invalid value: "": needs to be unset'],
    ),
    "count": ({"deprecatedCount": 1}, ['count: Invalid value: "": needs to be unset']),
    "source": ({"deprecatedSource": {"host": "a"}}, ['source: Invalid value: "": needs to be unset']),
    "a series of one": (
        {"series": {"count": 1, "lastObservedTime": "2026-01-01T00:00:00.000000Z"}},
        ['series.count: Invalid value: "": should be at least 2'],
    ),
    "a series never seen": ({"series": {"count": 2}}, ["series.lastObservedTime: Required value"]),
    "no reporter": (
        {"reportingController": None},
        ["reportingController: Required value", *(
            f'reportingController: Invalid value: "": {text}' for text in ("name part must be non-empty", NAME)
        )],
    ),
    "no instance": ({"reportingInstance": None}, ["reportingInstance: Required value"]),
    "long instance": (
        {"reportingInstance": LONG},
        ['reportingInstance: Invalid value: "": can have at most 128 characters'],
    ),
    "no action": ({"action": None}, ["action: Required value"]),
    "long action": ({"action": LONG}, ['action: Invalid value: "": can have at most 128 characters']),
    "no reason": ({"reason": None}, ["reason: Required value"]),
    "long reason": ({"reason": LONG}, ['reason: Invalid value: "": can have at most 128 characters']),
    "long note": ({"note": "x" * 1025}, ['message: Invalid value: "": can have at most 1024 characters']),
    "of nothing elsewhere": (
        {"metadata": {"name": "e", "namespace": "team"}, "regarding": {"kind": "Node"}},
        ['involvedObject.namespace: Invalid value: "": does not match event.namespace'],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), EVENTS.values(), ids=EVENTS)
def test_events_of_the_newer_group_are_looked_at_strictly(change: JSON, expected: list[str]) -> None:
    kind = BY_KIND["Event"]
    given = {name: value for name, value in {**EVENT, **change}.items() if value is not None}
    there = freeze(kind.default(freeze(events_group.to_core(freeze(given)))))
    found = kind.validate(there) + events_group.check_new(there)
    assert [str(problem) for problem in found] == expected


def test_events_there_and_back() -> None:
    there = freeze(BY_KIND["Event"].default(freeze(events_group.to_core(freeze(EVENT)))))
    assert there["involvedObject"] == EVENT["regarding"]
    assert there["message"] == "all is well"
    shown = events_group.from_core(there)
    assert {name: shown[name] for name in EVENT} == EVENT
    unset = {name: value for name, value in shown.items() if name not in EVENT}
    assert unset == {
        "deprecatedFirstTimestamp": None, "deprecatedLastTimestamp": None, "deprecatedSource": {},
    }  # fmt: skip


@pytest.mark.parametrize("name", ["reason", "note", "regarding", "type", "reportingController", "eventTime"])
def test_what_an_update_may_not_change(name: str) -> None:
    old = freeze(events_group.to_core(freeze(EVENT)))
    new = freeze(
        events_group.to_core(freeze({**EVENT, name: {"kind": "Node"} if name == "regarding" else "x"}))
    )
    told = {text.split(": ", 1)[0] for text in map(str, events_group.check_update(new, old))}
    renamed = {"note": "message", "regarding": "involvedObject"}
    assert told == {renamed.get(name, name)}
    assert events_group.check_update(old, old) == []
