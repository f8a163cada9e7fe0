"""Jobs and CronJobs: what is refused, in Kubernetes' own words."""

import pytest
from api_bench import created, load, merged, problems, updated

BASES = load("""
Job:
  apiVersion: batch/v1
  kind: Job
  metadata: {name: sum}
  spec:
    template:
      spec: {restartPolicy: Never, containers: [{name: main, image: busybox}]}
Indexed:
  apiVersion: batch/v1
  kind: Job
  metadata: {name: sum}
  spec:
    completions: 5
    completionMode: Indexed
    template:
      spec: {restartPolicy: Never, containers: [{name: main, image: busybox}]}
CronJob:
  apiVersion: batch/v1
  kind: CronJob
  metadata: {name: tick}
  spec:
    schedule: "*/5 * * * *"
    jobTemplate:
      spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: main, image: busybox}]}}}
""")
LEAST = "must be greater than or equal to 0"
INDEXED_ONLY = "requires indexed completion mode"
RULES = "spec.podFailurePolicy.rules[0]"
TEMPLATE = "spec.jobTemplate.spec.template.spec"

# id: (base, change, expected errors)
CREATES = {
    "negative": (
        "Job", "spec: {parallelism: -1, backoffLimit: -2, ttlSecondsAfterFinished: -3}",
        [
            f"spec.parallelism: Invalid value: -1: {LEAST}",
            f"spec.backoffLimit: Invalid value: -2: {LEAST}",
            f"spec.ttlSecondsAfterFinished: Invalid value: -3: {LEAST}",
        ],
    ),
    "restart always": (
        "Job", "spec: {template: {spec: {restartPolicy: Always}}}",
        ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ),
    "restart unset": (
        "Job", "spec: {template: {spec: {restartPolicy: null}}}",
        ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ),
    "per index without indexes": (
        "Job", "spec: {backoffLimitPerIndex: 1, maxFailedIndexes: 2}",
        [
            f"spec.backoffLimitPerIndex: Invalid value: 1: {INDEXED_ONLY}",
            f"spec.maxFailedIndexes: Invalid value: 2: {INDEXED_ONLY}",
        ],
    ),
    "failed indexes alone": (
        "Indexed", "spec: {maxFailedIndexes: 2}",
        ["spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified"],
    ),
    "more failed indexes than completions": (
        "Indexed", "spec: {backoffLimitPerIndex: 0, maxFailedIndexes: 6}",
        ["spec.maxFailedIndexes: Invalid value: 6: must be less than or equal to completions"],
    ),
    "indexed without completions": (
        "Indexed", "spec: {completions: null, parallelism: 2}",
        ["spec.completions: Required value: when completion mode is Indexed"],
    ),
    "too many at once": (
        "Indexed", "spec: {parallelism: 100001}",
        [
            "spec.parallelism: Invalid value: 100001: "
            "must be less than or equal to 100000 when completion mode is Indexed"
        ],
    ),
    "mode": (
        "Job", "spec: {completionMode: Sorted}",
        ['spec.completionMode: Unsupported value: "Sorted": supported values: "NonIndexed", "Indexed"'],
    ),
    "host name too long": (
        "Indexed", f"metadata: {{name: {'a' * 62}}}",
        [
            f'metadata.name: Invalid value: "{"a" * 62}": '
            f"will not able to create pod with invalid DNS label: {'a' * 62}-4"
        ],
    ),
    "managed by nobody": (
        "Job", "spec: {managedBy: me}",
        ['spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")'],
    ),
    "replacement": (
        "Job", "spec: {podReplacementPolicy: Never}",
        [
            'spec.podReplacementPolicy: Unsupported value: "Never": '
            'supported values: "Failed", "TerminatingOrFailed"'
        ],
    ),
    "failure policy needs never": (
        "Job",
        """spec:
  podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}]}
  template: {spec: {restartPolicy: OnFailure}}""",
        [
            'spec.template.spec.restartPolicy: Invalid value: "OnFailure": '
            'only "Never" is supported when podFailurePolicy is specified'
        ],
    ),
    "failure rule": (
        "Job",
        """spec:
  podFailurePolicy: {rules: [{action: Explode, onExitCodes: {operator: In, containerName: x, values: [3, 0, 3]}}]}""",
        [
            f'{RULES}.action: Unsupported value: "Explode": '
            'supported values: "Count", "FailIndex", "FailJob", "Ignore"',
            f'{RULES}.onExitCodes.containerName: Invalid value: "x": '
            "must be one of the container or initContainer names in the pod template",
            f"{RULES}.onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
            f"{RULES}.onExitCodes.values[2]: Duplicate value: 3",
            f"{RULES}.onExitCodes.values: Invalid value: [3,0,3]: must be ordered",
        ],
    ),
    "failure rule without a ground": (
        "Job", "spec: {podFailurePolicy: {rules: [{action: FailIndex}]}}",
        [
            f'{RULES}.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
            f"{RULES}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
        ],
    ),
    "success policy without indexes": (
        "Job", "spec: {successPolicy: {rules: [{succeededCount: 1}]}}",
        [f'spec.successPolicy: Invalid value: {{"rules":[{{"succeededCount":1}}]}}: {INDEXED_ONLY}'],
    ),
    "success rule": (
        "Indexed", 'spec: {successPolicy: {rules: [{succeededIndexes: "3-1,9", succeededCount: 7}, {}]}}',
        [
            'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "3-1,9": '
            "error parsing succeededIndexes: non-increasing order, previous: 3, current: 1",
            "spec.successPolicy.rules[0].succeededCount: Invalid value: 7: "
            "must be less than or equal to 5 (the number of specified completions)",
            "spec.successPolicy.rules[0].succeededCount: Invalid value: 7: "
            "must be less than or equal to 0 (the number of indexes in the specified succeededIndexes field)",
            "spec.successPolicy.rules[1]: Required value: "
            "at least one of succeededCount or succeededIndexes must be specified",
        ],
    ),
    "schedule": (
        "CronJob", 'spec: {schedule: "61 * * * *"}',
        ['spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61'],
    ),
    "no schedule": ("CronJob", 'spec: {schedule: ""}', ["spec.schedule: Required value"]),
    "zone in the schedule": (
        "CronJob", 'spec: {schedule: "TZ=Europe/Paris 0 * * * *"}',
        [
            'spec.schedule: Invalid value: "TZ=Europe/Paris 0 * * * *": '
            "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        ],
    ),
    "zone": (
        "CronJob", "spec: {timeZone: Mars/Olympus}",
        ['spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus'],
    ),
    "local zone": (
        "CronJob", "spec: {timeZone: Local}",
        [
            'spec.timeZone: Invalid value: "Local": '
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        ],
    ),
    "concurrency": (
        "CronJob", "spec: {concurrencyPolicy: Never}",
        [
            'spec.concurrencyPolicy: Unsupported value: "Never": '
            'supported values: "Allow", "Forbid", "Replace"'
        ],
    ),
    "long name": (
        "CronJob", f"metadata: {{name: {'a' * 53}}}",
        [f'metadata.name: Invalid value: "{"a" * 53}": must be no more than 52 characters'],
    ),
    "selector of its Jobs": (
        "CronJob", "spec: {jobTemplate: {spec: {selector: {matchLabels: {a: b}}}}}",
        [
            'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: '
            "`selector` will be auto-generated"
        ],
    ),
    "template of its Jobs": (
        "CronJob", "spec: {jobTemplate: {spec: {template: {spec: {containers: []}}}}}",
        [f"{TEMPLATE}.containers: Required value"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("base", BASES)
def test_the_base_is_fine(base: str) -> None:
    assert problems(BASES[base]) == []


@pytest.mark.parametrize(("base", "change", "expected"), CREATES.values(), ids=CREATES.keys())
def test_create(base: str, change: str, expected: list[str]) -> None:
    assert problems(merged(BASES[base], load(change))) == expected


def _rules(count: int) -> dict[str, object]:
    rule = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
    return {"podFailurePolicy": {"rules": [rule] * count}}


def _rule(**ground: object) -> dict[str, object]:
    return {"podFailurePolicy": {"rules": [{"action": "Count", **ground}]}}


# id: (base, what is one more than allowed, expected errors)
LIMITS = {
    "rules": (
        "Job", _rules(21), ["spec.podFailurePolicy.rules: Too many: 21: must have at most 20 items"]
    ),
    "exit codes": (
        "Job", _rule(onExitCodes={"operator": "In", "values": list(range(1, 257))}),
        [f"{RULES}.onExitCodes.values: Too many: 256: must have at most 255 items"],
    ),
    "patterns": (
        "Job", _rule(onPodConditions=[{"type": "Ready"}] * 21),
        [f"{RULES}.onPodConditions: Too many: 21: must have at most 20 items"],
    ),
    "name of the manager": (
        "Job", {"managedBy": f"acme.io/{'a' * 56}"},
        ["spec.managedBy: Too long: may not be more than 63 bytes"],
    ),
    "indexes as text": (
        "Indexed", {"successPolicy": {"rules": [{"succeededIndexes": "0," * 40_000 + "0"}]}},
        [
            "spec.successPolicy.rules[0].succeededIndexes: Too long: may not be more than 65536 bytes",
            "non-increasing order, previous: 0, current: 0",
        ],
    ),
    "success rules": (
        "Indexed", {"successPolicy": {"rules": [{"succeededCount": 1}] * 21}},
        ["spec.successPolicy.rules: Too many: 21: must have at most 20 items"],
    ),
    "failed indexes": (
        "Indexed", {"completions": 100_001, "backoffLimitPerIndex": 1, "maxFailedIndexes": 100_001},
        [
            "spec.maxFailedIndexes: Invalid value: 100001: must be less than or equal to 100000",
            "spec.maxFailedIndexes: Invalid value: 100001: must be less than or equal to 10000 "
            "when completions are above 100000 and used with backoff limit per index",
        ],
    ),
    "many completions": (
        "Indexed", {"completions": 100_001, "backoffLimitPerIndex": 1, "parallelism": 10_001},
        [
            "spec.maxFailedIndexes: Required value: must be specified when completions is above 100000",
            "spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 "
            "when completions are above 100000 and used with backoff limit per index",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("base", "spec", "expected"), LIMITS.values(), ids=LIMITS.keys())
def test_one_more_than_allowed(base: str, spec: dict[str, object], expected: list[str]) -> None:
    found = problems(merged(BASES[base], {"spec": spec}))
    assert len(found) == len(expected)
    assert all(text in problem for text, problem in zip(expected, found, strict=True))


UPDATES = {
    "completions": (
        "Job", "spec: {completions: 2}", ["spec.completions: Invalid value: 2: field is immutable"]
    ),
    "elastic": ("Indexed", "spec: {completions: 3, parallelism: 3}", []),
    "elastic apart": (
        "Indexed", "spec: {completions: 3}",
        ["spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism"],
    ),
    "parallelism": ("Job", "spec: {parallelism: 4, suspend: true, backoffLimit: 1}", []),
    "anything of a CronJob": ("CronJob", 'spec: {schedule: "@daily", suspend: true}', []),
}  # fmt: skip


@pytest.mark.parametrize(("base", "change", "expected"), UPDATES.values(), ids=UPDATES.keys())
def test_update(base: str, change: str, expected: list[str]) -> None:
    old = created(BASES[base])
    assert updated(old, merged(old, load(change)))[1] == expected
