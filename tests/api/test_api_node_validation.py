"""RuntimeClasses: what is refused, in Kubernetes' own words."""

from __future__ import annotations

import pytest
from api_bench import created, load, merged, problems, updated

BASE = load("{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: r}, handler: runc}")
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
KEY = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
TOLERATIONS = "scheduling.tolerations[0]"
# id: the change, what is said of it
WRONG: dict[str, tuple[str, list[str]]] = {
    "no handler": ("handler: ''", [f'handler: Invalid value: "": {LABEL}']),
    "a handler with a dot": ("handler: a.b", ['handler: Invalid value: "a.b": must not contain dots']),
    "a negative overhead": (
        "overhead: {podFixed: {cpu: -1}}",
        ['overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
    ),
    "an overhead that is no resource": (
        "overhead: {podFixed: {beer: 1}}",
        [
            'overhead.limits[beer]: Invalid value: "beer": must be a standard resource type or fully qualified',
            'overhead.limits[beer]: Invalid value: "beer": must be a standard resource for containers',
        ],
    ),
    "a selector": (
        "scheduling: {nodeSelector: {'a b': c}}",
        [f'scheduling.nodeSelector: Invalid value: "a b": {KEY}'],
    ),
    "a toleration of a value that must only exist": (
        "scheduling: {tolerations: [{key: a, operator: Exists, value: b}]}",
        [f'{TOLERATIONS}.operator: Invalid value: "b": value must be empty when `operator` is \'Exists\''],
    ),
    "a toleration of nothing": (
        "scheduling: {tolerations: [{operator: Equal, value: b}]}",
        [f'{TOLERATIONS}.operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means '
         '"match all values and all keys"'],
    ),
    "a toleration for a while of what evicts nobody": (
        "scheduling: {tolerations: [{key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 5}]}",
        [f'{TOLERATIONS}.effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` '
         "is set"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "said"), WRONG.values(), ids=WRONG)
def test_a_class_that_is_wrong(change: str, said: list[str]) -> None:
    assert problems(merged(BASE, load(change))) == said


def test_its_handler_stays() -> None:
    _new, said = updated(created(BASE), created({**BASE, "handler": "other"}))
    assert said == ['handler: Invalid value: "other": field is immutable']
