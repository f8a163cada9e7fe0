"""A Job's spec, wherever it stands: in a Job, or in the template of a CronJob.

Models pkg/apis/batch/validation (validateJobSpec) and pkg/apis/batch/v1/defaults.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from cluster_engine.api.core.v1.pod_spec import default_template, validate_template
from cluster_engine.api.core.v1.pod_spec.annotations import check_pod_annotations
from cluster_engine.api.meta import check_not_negative
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    OMITTED,
    FieldError,
    duplicate,
    go_value,
    invalid_value,
    not_supported,
    required,
    too_long,
    too_many,
)
from cluster_engine.apimachinery.validation import is_dns1123_subdomain, is_qualified_name

COMPLETIONS_SOFT_LIMIT = 100_000
MAX_PARALLELISM = 100_000
MAX_FAILED_INDEXES = 100_000
PARALLELISM_AT_HIGH_COMPLETIONS = 10_000
FAILED_INDEXES_AT_HIGH_COMPLETIONS = 10_000
MAX_RULES = 20
MAX_EXIT_CODES = 255
MAX_CONDITION_PATTERNS = 20
MAX_INDEXES_TEXT = 64 * 1024
MAX_MANAGED_BY = 63

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("False", "True", "Unknown")
_REPLACEMENTS = ("Failed", "TerminatingOrFailed")


def default_spec(spec: JSON) -> JSON:
    """The spec with its defaults (SetDefaults_Job)."""
    given = {name for name, value in spec.items() if value is not None}
    add: JSON = {}
    if not given & {"completions", "parallelism"}:
        add["completions"] = 1
    replaced = "Failed" if "podFailurePolicy" in given else "TerminatingOrFailed"
    defaults = {
        "parallelism": 1,
        "backoffLimit": 2**31 - 1 if "backoffLimitPerIndex" in given else 6,
        "completionMode": "NonIndexed",
        "suspend": False,
        "podReplacementPolicy": replaced,
        "manualSelector": False,
    }
    add |= {name: value for name, value in defaults.items() if name not in given}
    template = spec.get("template") or {}
    made = default_template(template)
    if made is not template:
        add["template"] = made
    if "podFailurePolicy" in given:
        add["podFailurePolicy"] = _default_policy(spec["podFailurePolicy"])
    return {**spec, **add} if add else spec


def _default_policy(policy: JSON) -> JSON:
    rules = []
    for rule in policy.get("rules") or ():
        patterns = rule.get("onPodConditions") or ()
        if any(not pattern.get("status") for pattern in patterns):
            rule = {**rule, "onPodConditions": [{"status": "True", **_given(p)} for p in patterns]}
        rules.append(rule)
    return {**policy, "rules": rules}


def _given(fields: JSON) -> JSON:
    return {name: value for name, value in fields.items() if value}


def parse_indexes(text: str, completions: int) -> list[tuple[int, int]]:
    """``1,3-5`` as [(1, 1), (3, 5)]. Raises ValueError with upstream's sentence (validateIndexesFormat)."""
    intervals: list[tuple[int, int]] = []
    for part in text.split(",") if text else ():
        limits = part.split("-")
        if len(limits) > 2:
            why = (
                "violates the requirement that an index interval can have at most two parts separated by '-'"
            )
            raise ValueError(f"the fragment {go_value(part)} {why}")
        numbers = []
        for limit in limits:
            if not (limit.isascii() and limit.isdigit() and len(limit) < 11):
                raise ValueError(f"cannot convert string to integer for index: {go_value(limit)}")
            number = int(limit)
            if number >= completions:
                raise ValueError(f"too large index: {go_value(limit)}")
            numbers.append(number)
        first, last = numbers[0], numbers[-1]
        if len(limits) == 2 and first >= last:
            raise ValueError(f"non-increasing order, previous: {first}, current: {last}")
        if intervals and first <= intervals[-1][1]:
            raise ValueError(f"non-increasing order, previous: {intervals[-1][1]}, current: {first}")
        intervals.append((first, last))
    return intervals


def check_spec(spec: JSON, path: str) -> list[FieldError]:
    """What is wrong with the spec, selector aside."""
    problems: list[FieldError] = []
    for field in (
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ):
        problems += check_not_negative(spec.get(field), f"{path}.{field}")
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        problems.append(required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))
    if spec.get("managedBy") is not None:
        problems += _check_managed_by(spec["managedBy"], f"{path}.managedBy")
    problems += _check_mode(spec, path)
    if spec.get("podFailurePolicy") is not None:
        problems += _check_failure_policy(spec, f"{path}.podFailurePolicy")
    if spec.get("successPolicy") is not None and spec.get("completionMode") == "Indexed":
        problems += _check_success_policy(spec, f"{path}.successPolicy")
    problems += _check_replacement(spec, path)
    return problems + _check_template(spec, f"{path}.template")


def _check_managed_by(name: str, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    domain, slash, rest = name.partition("/")
    if not slash or not domain or not rest:
        problems.append(invalid_value(path, name, 'must be a domain-prefixed path (such as "acme.io/foo")'))
    else:
        problems += [invalid_value(path, domain, text) for text in is_dns1123_subdomain(domain)]
    if len(name) > MAX_MANAGED_BY:
        problems.append(too_long(path, name, MAX_MANAGED_BY))
    return problems


def _check_mode(spec: JSON, path: str) -> list[FieldError]:
    mode = spec.get("completionMode") or "NonIndexed"  # of a CronJob's template nothing is defaulted
    problems: list[FieldError] = []
    if mode not in ("NonIndexed", "Indexed"):
        problems.append(not_supported(f"{path}.completionMode", mode, ("NonIndexed", "Indexed")))
    if mode == "Indexed":
        return problems + _check_indexed(spec, path)
    text = "requires indexed completion mode"
    for field in ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"):
        if spec.get(field) is not None:
            problems.append(invalid_value(f"{path}.{field}", spec[field], text))
    return problems


def _check_indexed(spec: JSON, path: str) -> list[FieldError]:
    completions, parallelism = spec.get("completions"), spec.get("parallelism") or 0
    failed, problems = spec.get("maxFailedIndexes"), []
    if completions is None:
        problems.append(required(f"{path}.completions", "when completion mode is Indexed"))
        completions = 0
    if parallelism > MAX_PARALLELISM:
        text = f"must be less than or equal to {MAX_PARALLELISM} when completion mode is Indexed"
        problems.append(invalid_value(f"{path}.parallelism", parallelism, text))
    if failed is not None:
        if spec.get("completions") is not None and failed > completions:
            text = "must be less than or equal to completions"
            problems.append(invalid_value(f"{path}.maxFailedIndexes", failed, text))
        if failed > MAX_FAILED_INDEXES:
            text = f"must be less than or equal to {MAX_FAILED_INDEXES}"
            problems.append(invalid_value(f"{path}.maxFailedIndexes", failed, text))
    if completions > COMPLETIONS_SOFT_LIMIT and spec.get("backoffLimitPerIndex") is not None:
        problems += _check_high_completions(parallelism, failed, path)
    return problems


def _check_high_completions(parallelism: int, failed: int | None, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    tail = f"when completions are above {COMPLETIONS_SOFT_LIMIT} and used with backoff limit per index"
    if failed is None:
        text = f"must be specified when completions is above {COMPLETIONS_SOFT_LIMIT}"
        problems.append(required(f"{path}.maxFailedIndexes", text))
    if parallelism > PARALLELISM_AT_HIGH_COMPLETIONS:
        text = f"must be less than or equal to {PARALLELISM_AT_HIGH_COMPLETIONS} {tail}"
        problems.append(invalid_value(f"{path}.parallelism", parallelism, text))
    if failed is not None and failed > FAILED_INDEXES_AT_HIGH_COMPLETIONS:
        text = f"must be less than or equal to {FAILED_INDEXES_AT_HIGH_COMPLETIONS} {tail}"
        problems.append(invalid_value(f"{path}.maxFailedIndexes", failed, text))
    return problems


def _check_replacement(spec: JSON, path: str) -> list[FieldError]:
    policy = spec.get("podReplacementPolicy")
    allowed = ("Failed",) if spec.get("podFailurePolicy") is not None else _REPLACEMENTS
    if policy is None or policy in allowed:
        return []
    return [not_supported(f"{path}.podReplacementPolicy", policy, allowed)]


def _check_template(spec: JSON, path: str) -> list[FieldError]:
    template: JSON = spec.get("template") or {}
    pod: JSON = template.get("spec") or {}
    annotations = (template.get("metadata") or {}).get("annotations")
    problems = check_pod_annotations(annotations, pod, f"{path}.annotations") if annotations else []
    problems += validate_template(template, path)
    policy, at = pod.get("restartPolicy") or "", f"{path}.spec.restartPolicy"
    if policy in ("", "Always"):
        problems.append(required(at, 'valid values: "OnFailure", "Never"'))
    elif policy not in ("OnFailure", "Never"):
        problems.append(not_supported(at, policy, ("OnFailure", "Never")))
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        text = 'only "Never" is supported when podFailurePolicy is specified'
        problems.append(invalid_value(at, policy, text))
    return problems


# ---- policies --------------------------------------------------------------------------------------------


def _choices(values: Iterable[str]) -> str:
    return f"valid values: [{' '.join(go_value(value) for value in values)}]"


def _check_failure_policy(spec: JSON, path: str) -> list[FieldError]:
    rules = spec["podFailurePolicy"].get("rules") or ()
    problems = [too_many(f"{path}.rules", len(rules), MAX_RULES)] if len(rules) > MAX_RULES else []
    pod = (spec.get("template") or {}).get("spec") or {}
    names = {c.get("name") for part in ("containers", "initContainers") for c in pod.get(part) or ()}
    for index, rule in enumerate(rules):
        problems += _check_failure_rule(spec, rule, f"{path}.rules[{index}]", names)
    return problems


def _check_failure_rule(spec: JSON, rule: JSON, path: str, names: set[Any]) -> list[FieldError]:
    action, at = rule.get("action") or "", f"{path}.action"
    problems: list[FieldError] = []
    if not action:
        problems.append(required(at, _choices(_ACTIONS)))
    elif action == "FailIndex":
        if spec.get("backoffLimitPerIndex") is None:
            problems.append(invalid_value(at, action, "requires the backoffLimitPerIndex to be set"))
    elif action not in _ACTIONS:
        problems.append(not_supported(at, action, _ACTIONS))
    codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or ()
    if codes is not None:
        problems += _check_exit_codes(codes, f"{path}.onExitCodes", names)
    if conditions:
        problems += _check_conditions(conditions, f"{path}.onPodConditions")
    if codes is not None and conditions:
        text = "specifying both OnExitCodes and OnPodConditions is not supported"
        problems.append(invalid_value(path, OMITTED, text))
    if codes is None and not conditions:
        text = "specifying one of OnExitCodes and OnPodConditions is required"
        problems.append(invalid_value(path, OMITTED, text))
    return problems


def _check_exit_codes(codes: JSON, path: str, names: set[Any]) -> list[FieldError]:
    operator, name, values = (
        codes.get("operator") or "",
        codes.get("containerName"),
        codes.get("values") or [],
    )
    problems: list[FieldError] = []
    if not operator:
        problems.append(required(f"{path}.operator", _choices(_OPERATORS)))
    elif operator not in _OPERATORS:
        problems.append(not_supported(f"{path}.operator", operator, _OPERATORS))
    if name is not None and name not in names:
        text = "must be one of the container or initContainer names in the pod template"
        problems.append(invalid_value(f"{path}.containerName", name, text))
    if not values:
        problems.append(invalid_value(f"{path}.values", values, "at least one value is required"))
    elif len(values) > MAX_EXIT_CODES:
        problems.append(too_many(f"{path}.values", len(values), MAX_EXIT_CODES))
    seen: set[int] = set()
    for index, value in enumerate(values):
        at = f"{path}.values[{index}]"
        if operator == "In" and value == 0:
            problems.append(invalid_value(at, value, "must not be 0 for the In operator"))
        if value in seen:
            problems.append(duplicate(at, value))
        seen.add(value)
    if any(a > b for a, b in pairwise(values)):
        problems.append(invalid_value(f"{path}.values", values, "must be ordered"))
    return problems


def _check_conditions(patterns: list[JSON], path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    if len(patterns) > MAX_CONDITION_PATTERNS:
        problems.append(too_many(path, len(patterns), MAX_CONDITION_PATTERNS))
    for index, pattern in enumerate(patterns):
        at, type, status = f"{path}[{index}]", pattern.get("type") or "", pattern.get("status") or ""
        problems += [invalid_value(f"{at}.type", type, text) for text in is_qualified_name(type)]
        if not status:
            problems.append(required(f"{at}.status", _choices(_STATUSES)))
        elif status not in _STATUSES:
            problems.append(not_supported(f"{at}.status", status, _STATUSES))
    return problems


def _check_success_policy(spec: JSON, path: str) -> list[FieldError]:
    rules = spec["successPolicy"].get("rules") or ()
    problems: list[FieldError] = []
    if not rules:
        text = "at least one rules must be specified when the successPolicy is specified"
        problems.append(required(f"{path}.rules", text))
    if len(rules) > MAX_RULES:
        problems.append(too_many(f"{path}.rules", len(rules), MAX_RULES))
    for index, rule in enumerate(rules):
        problems += _check_success_rule(rule, spec.get("completions") or 0, f"{path}.rules[{index}]")
    return problems


def _check_success_rule(rule: JSON, completions: int, path: str) -> list[FieldError]:
    count, indexes, total = rule.get("succeededCount"), rule.get("succeededIndexes"), 0
    problems: list[FieldError] = []
    if count is None and indexes is None:
        problems.append(
            required(path, "at least one of succeededCount or succeededIndexes must be specified")
        )
    if indexes is not None:
        at = f"{path}.succeededIndexes"
        if len(indexes) > MAX_INDEXES_TEXT:
            problems.append(too_long(at, indexes, MAX_INDEXES_TEXT))
        try:
            total = sum(last - first + 1 for first, last in parse_indexes(indexes, completions))
        except ValueError as error:
            problems.append(invalid_value(at, indexes, f"error parsing succeededIndexes: {error}"))
    if count is not None:
        at = f"{path}.succeededCount"
        problems += check_not_negative(count, at)
        if count > completions:
            text = f"must be less than or equal to {completions} (the number of specified completions)"
            problems.append(invalid_value(at, count, text))
        if indexes is not None and count > total:
            text = (
                f"must be less than or equal to {total} "
                "(the number of indexes in the specified succeededIndexes field)"
            )
            problems.append(invalid_value(at, count, text))
    return problems
