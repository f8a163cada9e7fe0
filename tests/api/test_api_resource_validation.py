"""Devices: classes, claims, templates and slices. What is refused, in Kubernetes' own words; defaults and columns."""

from __future__ import annotations

from typing import Any

import pytest
from api_bench import BY_KIND, NOW, created, load, merged, problems, updated

from cluster_engine.api.resource import allocations, claims, names, policies, slices

BASES = load("""
DeviceClass:
  apiVersion: resource.k8s.io/v1
  kind: DeviceClass
  metadata: {name: gpu.example.com}
  spec: {selectors: [{cel: {expression: device.driver == "gpu.example.com"}}]}
ResourceClaim:
  apiVersion: resource.k8s.io/v1
  kind: ResourceClaim
  metadata: {name: gpu}
  spec: {devices: {requests: [{name: gpu, exactly: {deviceClassName: gpu.example.com}}]}}
ResourceClaimTemplate:
  apiVersion: resource.k8s.io/v1
  kind: ResourceClaimTemplate
  metadata: {name: gpu}
  spec: {spec: {devices: {requests: [{name: gpu, exactly: {deviceClassName: gpu.example.com}}]}}}
ResourceSlice:
  apiVersion: resource.k8s.io/v1
  kind: ResourceSlice
  metadata: {name: worker-1-gpus}
  spec: {driver: gpu.example.com, nodeName: worker-1, pool: {name: worker-1, resourceSliceCount: 1}}
""")
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
IDENTIFIER = (
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters "
    "or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')"
)
NO_REQUEST = (
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
)
ONE = "exactly one of `exactly` or `firstAvailable` is required"
PLACE = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
REQUEST = "spec.devices.requests[0]"
DEVICE = "spec.devices[0]"
GPU = "{name: gpu, exactly: {deviceClassName: gpu.example.com}}"


def request(fields: str) -> str:
    return f"spec: {{devices: {{requests: [{fields}]}}}}"


def exactly(fields: str) -> str:
    return request(f"{{name: gpu, exactly: {{deviceClassName: gpu.example.com, {fields}}}}}")


def claim(fields: str) -> str:
    return f"spec: {{devices: {{requests: [{GPU}], {fields}}}}}"


def device(fields: str) -> str:
    return f"spec: {{devices: [{{name: gpu-0, {fields}}}]}}"


POLICY = "spec.devices[0].capacity[memory].requestPolicy"


def shared(policy: str) -> str:
    """A device whose memory of 8 several claims share by this policy."""
    return device(
        f"allowMultipleAllocations: true, capacity: {{memory: {{value: 8, requestPolicy: {policy}}}}}"
    )


# id: (kind, change, expected errors)
CREATES = {
    "a request without a name": (
        "ResourceClaim", request("{exactly: {deviceClassName: a}}"),
        [f'{REQUEST}.name: Invalid value: "": {LABEL}'],
    ),
    "a request for nothing": ("ResourceClaim", request("{name: gpu}"), [f"{REQUEST}: Required value: {ONE}"]),
    "a request for both": (
        "ResourceClaim",
        request("{name: gpu, exactly: {deviceClassName: a}, firstAvailable: [{name: a, deviceClassName: a}]}"),
        [f"{REQUEST}: Invalid value: null: {ONE}, but multiple fields are set"],
    ),
    "two of a name": ("ResourceClaim", request(f"{GPU}, {GPU}"), ['spec.devices.requests[1]: Duplicate value: "gpu"']),
    "no class": (
        "ResourceClaim", request("{name: gpu, exactly: {}}"), [f"{REQUEST}.exactly.deviceClassName: Required value"],
    ),
    "a mode": (
        "ResourceClaim", exactly("allocationMode: Some"),
        [f'{REQUEST}.exactly.allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"'],
    ),
    "a count of all": (
        "ResourceClaim", exactly("allocationMode: All, count: 2"),
        [f"{REQUEST}.exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'"],
    ),
    "less than one": (
        "ResourceClaim", exactly("count: -1"),
        [f"{REQUEST}.exactly.count: Invalid value: -1: must be greater than zero"],
    ),
    "an alternative without a class": (
        "ResourceClaim", request("{name: gpu, firstAvailable: [{name: large}]}"),
        [f"{REQUEST}.firstAvailable[0].deviceClassName: Required value"],
    ),
    "two alternatives of a name": (
        "ResourceClaim",
        request("{name: gpu, firstAvailable: [{name: a, deviceClassName: c}, {name: a, deviceClassName: c}]}"),
        [f'{REQUEST}.firstAvailable[1]: Duplicate value: "a"'],
    ),
    "a selector of nothing": (
        "ResourceClaim", exactly("selectors: [{}]"), [f"{REQUEST}.exactly.selectors[0].cel: Required value"],
    ),
    "a selector that is no bool": (
        "ResourceClaim", exactly("selectors: [{cel: {expression: device.driver}}]"),
        [f'{REQUEST}.exactly.selectors[0].cel.expression: Invalid value: "device.driver": must evaluate to bool or the '
         "unknown type, not string"],
    ),
    "a selector of an unknown name": (
        "ResourceClaim", exactly("selectors: [{cel: {expression: gpu}}]"),
        [f'{REQUEST}.exactly.selectors[0].cel.expression: Invalid value: "gpu": compilation failed: ERROR: '
         "<input>:1:1: undeclared reference to 'gpu' (in container '')\n | gpu\n | ^"],
    ),
    "a toleration of a value": (
        "ResourceClaim", exactly("tolerations: [{key: a, operator: Exists, value: b}]"),
        [f'{REQUEST}.exactly.tolerations[0].value: Invalid value: "b": must be empty for operator `Exists`'],
    ),
    "a toleration's operator and effect": (
        "ResourceClaim", exactly("tolerations: [{key: a, operator: In, effect: Never}]"),
        [f'{REQUEST}.exactly.tolerations[0].operator: Unsupported value: "In": supported values: "Equal", "Exists"',
         f'{REQUEST}.exactly.tolerations[0].effect: Unsupported value: "Never": supported values: "NoExecute", '
         '"NoSchedule", "None"'],
    ),
    "a constraint of nothing": (
        "ResourceClaim", claim("constraints: [{requests: [gpu]}]"),
        ['spec.devices.constraints[0]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is '
         "required, but multiple fields are set"],
    ),
    "a constraint of no request": (
        "ResourceClaim", claim("constraints: [{requests: [cpu, gpu/a], matchAttribute: a.b/c}]"),
        [f'spec.devices.constraints[0].requests[0]: Invalid value: "cpu": {NO_REQUEST}',
         f'spec.devices.constraints[0].requests[1]: Invalid value: "gpu/a": {NO_REQUEST}'],
    ),
    "a request of three parts": (
        "ResourceClaim", claim("constraints: [{requests: [a/b/c], matchAttribute: a.b/c}]"),
        [f'spec.devices.constraints[0].requests[0]: Invalid value: "a/b/c": {NO_REQUEST}'],
    ),
    "an attribute of nobody": (
        "ResourceClaim", claim("constraints: [{matchAttribute: model}]"),
        ['spec.devices.constraints[0].matchAttribute: Invalid value: "model": a fully qualified name must be a domain '
         "and a name separated by a slash"],
    ),
    "an attribute without its parts": (
        "ResourceClaim", claim("constraints: [{distinctAttribute: /}]"),
        ['spec.devices.constraints[0].distinctAttribute: Invalid value: "": the domain must not be empty',
         'spec.devices.constraints[0].distinctAttribute: Invalid value: "": the name must not be empty'],
    ),
    "a configuration of nothing": (
        "ResourceClaim", claim("config: [{requests: [gpu]}]"), ["spec.devices.config[0].opaque: Required value"],
    ),
    "a configuration for nobody": (
        "ResourceClaim", claim("config: [{opaque: {}}]"),
        ["spec.devices.config[0].opaque.driver: Required value",
         "spec.devices.config[0].opaque.parameters: Required value"],
    ),
    "parameters that are no object": (
        "ResourceClaim", claim("config: [{opaque: {driver: a, parameters: [1]}}]"),
        ['spec.devices.config[0].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object'],
    ),
    "a template's request": (
        "ResourceClaimTemplate", "spec: {spec: {devices: {requests: [{name: gpu}]}}}",
        [f"spec.spec.devices.requests[0]: Required value: {ONE}"],
    ),
    "a template's labels": (
        "ResourceClaimTemplate", "spec: {metadata: {labels: {'': b}}}",
        [f'spec.metadata.labels: Invalid value: "": name part {text}' for text in (
            "must be non-empty",
            "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
            "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
            "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        )],
    ),
    "a class's selector": (
        "DeviceClass", "spec: {selectors: [{cel: {expression: '1'}}]}",
        ['spec.selectors[0].cel.expression: Invalid value: "1": must evaluate to bool or the unknown type, not int'],
    ),
    "a class's configuration": ("DeviceClass", "spec: {config: [{}]}", ["spec.config[0].opaque: Required value"]),
    "a class's resource": (
        "DeviceClass", "spec: {extendedResourceName: cpu}",
        ['spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name'],
    ),
    "nobody's slice": ("ResourceSlice", "spec: {driver: null}", ["spec.driver: Required value"]),
    "a slice of no pool": (
        "ResourceSlice", "spec: {pool: {name: null, resourceSliceCount: 0, generation: -1}}",
        ["spec.pool.name: Required value", "spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero",
         "spec.pool.generation: Invalid value: -1: must be greater than or equal to zero"],
    ),
    "a slice of nowhere": ("ResourceSlice", "spec: {nodeName: null}", [f"spec: Required value: {PLACE}"]),
    "a slice of an empty node": (
        "ResourceSlice", "spec: {nodeName: ''}",
        ['spec.nodeName: Invalid value: "": must be either unset or set to a non-empty string',
         f"spec: Required value: {PLACE}"],
    ),
    "a slice of two places": (
        "ResourceSlice", "spec: {allNodes: true}",
        [f'spec: Invalid value: "{{`nodeName`, `allNodes`}}": {PLACE}, but multiple fields are set'],
    ),
    "a slice of not all nodes": (
        "ResourceSlice", "spec: {allNodes: false}",
        ["spec.allNodes: Invalid value: false: must be either unset or set to true"],
    ),
    "devices and counters": (
        "ResourceSlice", "spec: {devices: [{name: a}], sharedCounters: [{name: c, counters: {a: {value: '1'}}}]}",
        ['spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed'],
    ),
    "counters of nothing": (
        "ResourceSlice", "spec: {sharedCounters: [{}]}",
        ["spec.sharedCounters[0].name: Required value", "spec.sharedCounters[0].counters: Required value"],
    ),
    "two devices of a name": (
        "ResourceSlice", "spec: {devices: [{name: a}, {name: a}]}", ['spec.devices[1]: Duplicate value: "a"'],
    ),
    "a device's own place": (
        "ResourceSlice", device("allNodes: true"),
        [f"{DEVICE}: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if "
         "`perDeviceNodeSelection` is set to true in the ResourceSlice spec"],
    ),
    "a device of no place": (
        "ResourceSlice", "spec: {nodeName: null, perDeviceNodeSelection: true, devices: [{name: a}]}",
        [f"{DEVICE}: Required value: exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when "
         "`perDeviceNodeSelection` is set to true in the ResourceSlice spec"],
    ),
    "an attribute of no value": (
        "ResourceSlice", device("attributes: {model: {}}"),
        [f'{DEVICE}.attributes[model]: Invalid value: "": exactly one value must be specified'],
    ),
    "an attribute of two values": (
        "ResourceSlice", device("attributes: {model: {int: 1, bool: true}}"),
        [f'{DEVICE}.attributes[model]: Invalid value: {{"int":1,"bool":true}}: exactly one value must be specified'],
    ),
    "an attribute's name": (
        "ResourceSlice", device("attributes: {my-model: {int: 1}}"),
        [f'{DEVICE}.attributes[my-model]: Invalid value: "my-model": {IDENTIFIER}'],
    ),
    "a version": (
        "ResourceSlice", device("attributes: {driver: {version: '1.0'}}"),
        [f'{DEVICE}.attributes[driver].version: Invalid value: "1.0": must be a string compatible with semver.org spec '
         "2.0.0"],
    ),
    "a taint": (
        "ResourceSlice", device("taints: [{key: k}, {key: k, effect: Never}]"),
        [f"{DEVICE}.taints[0].effect: Required value",
         f'{DEVICE}.taints[1].effect: Unsupported value: "Never": supported values: "NoExecute", "NoSchedule", "None"'],
    ),
    "a capacity for one": (
        "ResourceSlice", device("capacity: {memory: {value: 1Gi, requestPolicy: {default: 1Gi}}}"),
        [f"{DEVICE}.capacity[memory].requestPolicy: Forbidden: allowMultipleAllocations must be true"],
    ),
    "amounts that are not the capacity's": (
        "ResourceSlice", shared("{default: 3, validValues: [2, 1, 9]}"),
        [f'{POLICY}.validValues[1]: Invalid value: "1": values must be sorted in ascending order',
         f'{POLICY}.validValues[2]: Invalid value: "9": option is larger than capacity value: 8',
         f'{POLICY}.validValues: Invalid value: "3": default value is not valid according to the requestPolicy'],
    ),
    "an amount twice": (
        "ResourceSlice", shared("{default: 1, validValues: [1, 1]}"),
        [f'{POLICY}.validValues[1]: Duplicate value: "1"'],
    ),
    "amounts without a default": (
        "ResourceSlice", shared("{validValues: [1]}"),
        [f"{POLICY}.default: Required value: required when validValues is defined"],
    ),
    "amounts and a range": (
        "ResourceSlice", shared("{default: 1, validValues: [1], validRange: {min: 1}}"),
        [f'{POLICY}: Forbidden: exactly one policy can be specified, cannot specify "validValues" and "validRange" at '
         "the same time"],
    ),
    "a range of no beginning": (
        "ResourceSlice", shared("{default: 1, validRange: {max: 2}}"),
        [f"{POLICY}.validRange.min: Required value: required when validRange is defined"],
    ),
    "a range beyond the capacity": (
        "ResourceSlice", shared("{default: 1, validRange: {min: 9, max: 10}}"),
        [f'{POLICY}.validRange.min: Invalid value: "9": min is larger than capacity value: 8',
         f'{POLICY}.validRange.default: Invalid value: "1": default is less than min: 9',
         f'{POLICY}.validRange.max: Invalid value: "10": max is larger than capacity value: 8'],
    ),
    "a range that ends before it begins": (
        "ResourceSlice", shared("{default: 4, validRange: {min: 4, max: 2}}"),
        [f'{POLICY}.validRange.max: Invalid value: "4": min is larger than max: 2',
         f'{POLICY}.validRange.default: Invalid value: "4": default is more than max: 2'],
    ),
    "a step that does not fit": (
        "ResourceSlice", shared("{default: 2, validRange: {min: 1, max: 6, step: 2}}"),
        [f'{POLICY}.validRange.step: Invalid value: "2": value is not a multiple of a given step (2) from (1)',
         f'{POLICY}.validRange.step: Invalid value: "6": value is not a multiple of a given step (2) from (1)'],
    ),
    "no step": (
        "ResourceSlice", shared("{default: 1, validRange: {min: 1, step: 0}}"),
        [f'{POLICY}.validRange.step: Invalid value: "0": must be greater than zero'],
    ),
    "a step beyond the capacity": (
        "ResourceSlice", shared("{default: 1, validRange: {min: 1, step: 8}}"),
        [f'{POLICY}.validRange.step: Invalid value: "8": one step 9 is larger than capacity value: 8'],
    ),
    "conditions of failure alone": (
        "ResourceSlice", device("bindingFailureConditions: [a]"),
        [f"{DEVICE}.bindingConditions: Invalid value: null: bindingConditions are required to use "
         "bindingFailureConditions"],
    ),
    "conditions without those of failure": (
        "ResourceSlice", device("bindingConditions: [a, a]"),
        [f'{DEVICE}.bindingConditions[1]: Duplicate value: "a"',
         f"{DEVICE}.bindingFailureConditions: Invalid value: null: bindingFailureConditions are required to use "
         "bindingConditions"],
    ),
    "conditions of both kinds": (
        "ResourceSlice", device("bindingConditions: [a], bindingFailureConditions: [a]"),
        [f'{DEVICE}.bindingFailureConditions[0]: Invalid value: "a": bindingFailureConditions must not overlap with '
         "bindingConditions"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "expected"), CREATES.values(), ids=CREATES.keys())
def test_create(kind: str, change: str, expected: list[str]) -> None:
    assert problems(merged(BASES[kind], load(change))) == expected


_B = '{"name":"b","exactly":{"deviceClassName":"a","count":2,"allocationMode":"ExactCount"}}'
SPEC = f'{{"devices":{{"requests":[{_B}]}}}}'
# id: (kind, change, expected errors)
UPDATES = {
    "a claim": (
        "ResourceClaim", request("{name: b, exactly: {deviceClassName: a, count: 2}}"),
        [f"spec: Invalid value: {SPEC}: field is immutable"],
    ),
    "a template": (
        "ResourceClaimTemplate",
        "spec: {spec: {devices: {requests: [{name: b, exactly: {deviceClassName: a, count: 2}}]}}}",
        [f'spec: Invalid value: {{"spec":{SPEC}}}: field is immutable'],
    ),
    "a slice": (
        "ResourceSlice", "spec: {driver: b, nodeName: b, pool: {name: b}}",
        ['spec.pool.name: Invalid value: "b": field is immutable',
         'spec.driver: Invalid value: "b": field is immutable',
         'spec.nodeName: Invalid value: "b": field is immutable'],
    ),
    "a class may change": ("DeviceClass", "spec: {selectors: []}", []),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "expected"), UPDATES.values(), ids=UPDATES.keys())
def test_update(kind: str, change: str, expected: list[str]) -> None:
    old = created(BASES[kind])
    assert updated(old, merged(old, load(change)))[1] == expected


RESULT = "{request: gpu, driver: gpu.example.com, pool: worker-1, device: gpu-0}"
GIVEN = f"allocation: {{devices: {{results: [{RESULT}]}}}}"
# id: (status, expected errors)
STATUSES = {
    "given": (f"{GIVEN}, reservedFor: [{{resource: pods, name: web, uid: u}}]", []),
    "reserved without devices": (
        "reservedFor: [{resource: pods, name: web, uid: u}]",
        ["status.reservedFor: Forbidden: may not be specified when `allocated` is not set"],
    ),
    "reserved for nobody": (
        f"{GIVEN}, reservedFor: [{{}}]",
        [f"status.reservedFor[0].{name}: Required value" for name in ("resource", "name", "uid")],
    ),
    "reserved twice": (
        f"{GIVEN}, reservedFor: [{{resource: pods, name: a, uid: u}}, {{resource: pods, name: b, uid: u}}]",
        ['status.reservedFor[1]: Duplicate value: "u"'],
    ),
    "conditions and tolerations of what was given": (
        "allocation: {devices: {results: [{request: gpu, driver: gpu.example.com, pool: worker-1, device: gpu-0, "
        "bindingConditions: [a], tolerations: [{operator: Never}]}]}}",
        ["status.allocation.devices.results[0].bindingFailureConditions: Invalid value: null: bindingFailureConditions "
         "are required to use bindingConditions",
         'status.allocation.devices.results[0].tolerations[0].operator: Unsupported value: "Never": supported values: '
         '"Equal", "Exists"'],
    ),
    "a device of nothing": (
        "allocation: {devices: {results: [{request: gpu}]}}",
        ["status.allocation.devices.results[0].driver: Required value",
         "status.allocation.devices.results[0].pool: Required value",
         f'status.allocation.devices.results[0].device: Invalid value: "": {LABEL}'],
    ),
    "for no request": (
        f"allocation: {{devices: {{results: [{RESULT.replace('request: gpu', 'request: cpu')}]}}}}",
        [f'status.allocation.devices.results[0].request: Invalid value: "cpu": {NO_REQUEST}'],
    ),
    "a configuration of nobody": (
        "allocation: {devices: {config: [{source: Me, opaque: {driver: a, parameters: {}}}]}}",
        ['status.allocation.devices.config[0].source: Unsupported value: "Me": supported values: '
         '"FromClaim", "FromClass"'],
    ),
    "the state of another device": (
        f"{GIVEN}, devices: [{{driver: gpu.example.com, pool: worker-1, device: gpu-1}}]",
        ['status.devices[0]: Invalid value: "gpu.example.com/worker-1/gpu-1": must be an allocated device in '
         "the claim"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("status", "expected"), STATUSES.values(), ids=STATUSES.keys())
def test_status(status: str, expected: list[str]) -> None:
    old = created(BASES["ResourceClaim"])
    new = merged(old, load(f"status: {{{status}}}"))
    assert [str(problem) for problem in BY_KIND["ResourceClaim"].validate_status(new, old)] == expected


def test_what_was_given_stays_as_it_is() -> None:
    old = merged(created(BASES["ResourceClaim"]), load(f"status: {{{GIVEN}}}"))
    new = merged(old, load("status: {allocation: {devices: {results: []}}}"))
    told = [str(problem) for problem in BY_KIND["ResourceClaim"].validate_status(new, old)]
    assert told == ['status.allocation: Invalid value: {"devices":{"results":[]}}: field is immutable']


def test_who_comes_late_is_not_reserved_for() -> None:
    old = merged(
        created(BASES["ResourceClaim"]), load(f"{{metadata: {{deletionTimestamp: x}}, status: {{{GIVEN}}}}}")
    )
    new = merged(old, load("status: {reservedFor: [{resource: pods, name: web, uid: u}]}"))
    told = [str(problem) for problem in BY_KIND["ResourceClaim"].validate_status(new, old)]
    late = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
    assert told == [f"status.reservedFor: Forbidden: {late}"]


def many(count: int, item: str) -> str:
    return f"[{', '.join(item.replace('#', str(number)) for number in range(count))}]"


# limit: (kind, a list of so many at the field)
LIMITS: dict[str, tuple[int, str, str, Any]] = {
    "requests": (claims.MAX_REQUESTS, "ResourceClaim", "spec.devices.requests", lambda n: request(many(
        n, "{name: r#, exactly: {deviceClassName: a}}")[1:-1])),
    "alternatives": (claims.MAX_ALTERNATIVES, "ResourceClaim", f"{REQUEST}.firstAvailable", lambda n: request(
        f"{{name: gpu, firstAvailable: {many(n, '{name: r#, deviceClassName: a}')}}}")),
    "devices": (slices.MAX_DEVICES, "ResourceSlice", "spec.devices",
                lambda n: f"spec: {{devices: {many(n, '{name: d#}')}}}"),
    "devices with taints": (slices.MAX_SPECIAL_DEVICES, "ResourceSlice", "spec.devices", lambda n: (
        f"spec: {{devices: {many(n, '{name: d#, taints: [{key: k, effect: None}]}')}}}")),
    "taints": (slices.MAX_TAINTS, "ResourceSlice", f"{DEVICE}.taints",
               lambda n: device(f"taints: {many(n, '{key: k#, effect: None}')}")),
    "sets of counters": (slices.MAX_COUNTER_SETS, "ResourceSlice", "spec.sharedCounters", lambda n: (
        f"spec: {{sharedCounters: {many(n, '{name: c#, counters: {a: {value: 1}}}')}}}")),
    "counters": (slices.MAX_COUNTERS, "ResourceSlice", "spec.sharedCounters[0].counters", lambda n: (
        f"spec: {{sharedCounters: [{{name: c, counters: {{{many(n, 'a#: {value: 1}')[1:-1]}}}}}]}}")),
    "consumed sets": (slices.MAX_CONSUMED_SETS, "ResourceSlice", f"{DEVICE}.consumesCounters", lambda n: device(
        f"consumesCounters: {many(n, '{counterSet: c#, counters: {a: {value: 1}}}')}")),
    "binding conditions": (policies.MAX_BINDING_CONDITIONS, "ResourceSlice", f"{DEVICE}.bindingConditions",
                           lambda n: device(f"bindingConditions: {many(n, 'c#')}, bindingFailureConditions: [f]")),
}  # fmt: skip


@pytest.mark.parametrize(("limit", "kind", "path", "change"), LIMITS.values(), ids=LIMITS.keys())
def test_limits(limit: int, kind: str, path: str, change: Any) -> None:
    assert problems(merged(BASES[kind], load(change(limit)))) == []
    told = problems(merged(BASES[kind], load(change(limit + 1))))
    assert told == [f"{path}: Too many: {limit + 1}: must have at most {limit} items"]


def test_amounts_past_the_limit_are_not_looked_at() -> None:
    values = list(range(1, policies.MAX_OPTIONS + 2))
    told = problems(merged(BASES["ResourceSlice"], load(shared(f"{{default: 1, validValues: {values}}}"))))
    assert told[0] == (
        f"{POLICY}.validValues: Too many: {policies.MAX_OPTIONS + 1}: must have at most {policies.MAX_OPTIONS} items"
    )


def test_longer_than_may_be() -> None:
    text = "a" * (slices.MAX_VALUE + 1)
    told = problems(
        merged(BASES["ResourceSlice"], load(device(f"attributes: {{model: {{string: {text}}}}}")))
    )
    assert told == [
        f"{DEVICE}.attributes[model].string: Too long: may not be more than {slices.MAX_VALUE} bytes"
    ]
    name = "a" * (names.MAX_IDENTIFIER + 1)
    told = problems(merged(BASES["ResourceSlice"], load(device(f"attributes: {{{name}: {{int: 1}}}}"))))
    assert told == [
        f"{DEVICE}.attributes[{name}]: Too long: may not be more than {names.MAX_IDENTIFIER} bytes"
    ]
    text = "a" * (claims.MAX_EXPRESSION + 1)
    told = problems(
        merged(BASES["DeviceClass"], load(f"spec: {{selectors: [{{cel: {{expression: {text}}}}}]}}"))
    )
    assert told == [
        f"spec.selectors[0].cel.expression: Too long: may not be more than {claims.MAX_EXPRESSION} bytes"
    ]
    text = "a" * claims.MAX_PARAMETERS
    told = problems(
        merged(
            BASES["DeviceClass"],
            load(f"spec: {{config: [{{opaque: {{driver: a, parameters: {{a: {text}}}}}}}]}}"),
        )
    )
    assert told == [
        f"spec.config[0].opaque.parameters: Too long: may not be more than {claims.MAX_PARAMETERS} bytes"
    ]
    attributes = many(slices.MAX_ATTRIBUTES + 1, "a#: {int: 1}")[1:-1]
    told = problems(merged(BASES["ResourceSlice"], load(device(f"attributes: {{{attributes}}}"))))
    assert told == [
        f"{DEVICE}: Invalid value: 33: the total number of attributes and capacities must not exceed 32"
    ]


def test_more_than_a_status_holds() -> None:
    old = created(BASES["ResourceClaim"])

    def told(status: str) -> list[str]:
        new = merged(old, load(f"status: {{{status}}}"))
        return [str(problem) for problem in BY_KIND["ResourceClaim"].validate_status(new, old)]

    most = allocations.MAX_CONSUMERS
    consumers = many(most + 1, "{resource: pods, name: p, uid: u#}")
    assert told(f"{GIVEN}, reservedFor: {consumers}") == [
        f"status.reservedFor: Too many: {most + 1}: must have at most {most} items"
    ]
    place = RESULT.replace("request: gpu, ", "")[:-1]
    conditions = many(allocations.MAX_CONDITIONS + 1, "{type: C#}")
    assert told(f"{GIVEN}, devices: [{place}, conditions: {conditions}}}]") == [
        "status.devices[0].conditions: Too many: 9: must have at most 8 items"
    ]
    text = "a" * allocations.MAX_DATA
    assert told(f"{GIVEN}, devices: [{place}, data: {{a: {text}}}}}]") == [
        f"status.devices[0].data: Too long: may not be more than {allocations.MAX_DATA} bytes"
    ]


def test_defaults() -> None:
    one = "{name: a, deviceClassName: c, tolerations: [{key: k}]}"
    other = "{name: b, deviceClassName: c, allocationMode: All}"
    fields = request(f"{{name: gpu, firstAvailable: [{one}, {other}]}}")
    made = created(merged(BASES["ResourceClaim"], load(fields)))
    assert made["spec"]["devices"]["requests"][0]["firstAvailable"] == [
        {"name": "a", "deviceClassName": "c", "allocationMode": "ExactCount", "count": 1,
         "tolerations": [{"key": "k", "operator": "Equal"}]},
        {"name": "b", "deviceClassName": "c", "allocationMode": "All"},
    ]  # fmt: skip


ROWS = {
    "class": ("DeviceClass", "{}", ["gpu.example.com", "0s"]),
    "template": ("ResourceClaimTemplate", "{}", ["gpu", "0s"]),
    "claim": ("ResourceClaim", "{}", ["gpu", "pending", "0s"]),
    "claim with devices": ("ResourceClaim", f"status: {{{GIVEN}}}", ["gpu", "allocated", "0s"]),
    "claim of somebody": (
        "ResourceClaim", f"status: {{{GIVEN}, reservedFor: [{{}}]}}", ["gpu", "allocated,reserved", "0s"],
    ),
    "claim that goes": ("ResourceClaim", "metadata: {deletionTimestamp: x}", ["gpu", "deleted", "0s"]),
    "slice": ("ResourceSlice", "{}", ["worker-1-gpus", "worker-1", "gpu.example.com", "worker-1", "0s"]),
    "slice of all nodes": (
        "ResourceSlice", "spec: {nodeName: null, allNodes: true}",
        ["worker-1-gpus", "<unset>", "gpu.example.com", "worker-1", "0s"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "cells"), ROWS.values(), ids=ROWS.keys())
def test_printed(kind: str, change: str, cells: list[object]) -> None:
    assert BY_KIND[kind].row(merged(created(BASES[kind]), load(change)), NOW) == cells
