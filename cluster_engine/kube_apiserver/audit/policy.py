"""A Policy of audit.k8s.io/v1: read, checked, and asked what is told of a request.

Models k8s.io/apiserver/pkg/audit/policy (reader.go, checker.go) and pkg/apis/audit/validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from cluster_engine.apimachinery import decode, errors, yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError
from cluster_engine.apimachinery.schema import Field, List, Node, OpenStruct, Scalar, Struct
from cluster_engine.apimachinery.validation import is_dns1123_subdomain

from ..requests import RequestInfo
from ..types import UserInfo

POLICIES_KEPT = 64
"""Policies that are remembered read."""
MAX_RULES = 1_000
"""Rules of a policy."""
LEVELS = ("None", "Metadata", "Request", "RequestResponse")
STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
_VERSION, _KIND = "audit.k8s.io/v1", "Policy"
_SCHEME = "k8s.io/apiserver/pkg/audit/scheme.go:29"


class PolicyError(ValueError):
    """A policy with which kube-apiserver does not start; str() says why, in its words."""


class Told(NamedTuple):
    """How much is told of a request (audit.RequestAuditConfig)."""

    level: str
    omitted: frozenset[str]
    """Stages of which nothing is told."""
    omits_managed_fields: bool

    def tells(self, level: str) -> bool:
        """Whether what belongs to that level is told."""
        return LEVELS.index(self.level) >= LEVELS.index(level)


class Policy:
    """The rules, in their order: the first that matches decides."""

    def __init__(self, policy: JSON) -> None:
        omitted, managed = policy.get("omitStages") or (), bool(policy.get("omitManagedFields"))
        self._otherwise = Told("None", frozenset(omitted), managed)
        self._rules = [
            (
                rule,
                Told(
                    rule["level"],
                    frozenset((*omitted, *(rule.get("omitStages") or ()))),
                    bool(rule.get("omitManagedFields", managed)),
                ),
            )
            for rule in policy["rules"]
        ]

    def of(self, user: UserInfo, info: RequestInfo) -> Told:
        """What is told of that request (EvaluatePolicyRule)."""
        return next((told for rule, told in self._rules if _matches(rule, user, info)), self._otherwise)


@lru_cache(maxsize=POLICIES_KEPT)
def loaded(text: str) -> Policy:
    """The policy in a text. Raises PolicyError."""
    try:
        return Policy(_read(text))
    except PolicyError as problem:
        raise PolicyError(f"loading audit policy file: {problem}") from problem


# ---- matching --------------------------------------------------------------------------------------------


def _matches(rule: JSON, user: UserInfo, info: RequestInfo) -> bool:
    if rule.get("users") and user.username not in rule["users"]:
        return False
    if rule.get("userGroups") and not any(group in rule["userGroups"] for group in user.groups):
        return False
    if rule.get("verbs") and info.verb not in rule["verbs"]:
        return False
    if rule.get("namespaces") or rule.get("resources"):
        return info.is_resource and _matches_resource(rule, info)
    if rule.get("nonResourceURLs"):
        return not info.is_resource and any(_covers(url, info.path) for url in rule["nonResourceURLs"])
    return True


def _covers(url: str, path: str) -> bool:
    return url in ("*", path) or (url.endswith("*") and path.startswith(url.rstrip("*")))


def _matches_resource(rule: JSON, info: RequestInfo) -> bool:
    if rule.get("namespaces") and info.namespace not in rule["namespaces"]:
        return False
    if not rule.get("resources"):
        return True
    for of_group in rule["resources"]:
        if (of_group.get("group") or "") != info.group:
            continue
        names = of_group.get("resourceNames")
        if not of_group.get("resources"):
            return True
        if names and info.name not in names:
            continue
        if any(_is_resource(each, info) for each in of_group["resources"]):
            return True
    return False


def _is_resource(named: str, info: RequestInfo) -> bool:
    """Whether a rule's resource is that of the request: ``pods``, ``pods/log``, ``pods/*``, ``*/scale``, ``*``."""
    whole = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    if named in ("*", whole) or (named.endswith("/*") and named[:-2] == info.resource):
        return True
    return bool(info.subresource) and named == f"*/{info.subresource}"


# ---- reading ---------------------------------------------------------------------------------------------


def _struct(kind: str, /, **fields: Node) -> Struct:
    return OpenStruct(f"v1.{kind}", {each: Field(each, node, 0, "*o", {}) for each, node in fields.items()})


_TEXT, _BOOL = Scalar("string"), Scalar("bool")
_TEXTS = List(_TEXT)
_GROUP = _struct("GroupResources", group=_TEXT, resources=_TEXTS, resourceNames=_TEXTS)
_RULE = _struct(
    "PolicyRule",
    level=_TEXT, users=_TEXTS, userGroups=_TEXTS, verbs=_TEXTS, resources=List(_GROUP), namespaces=_TEXTS,
    nonResourceURLs=_TEXTS, omitStages=_TEXTS, omitManagedFields=_BOOL,
)  # fmt: skip
_POLICY = _struct(
    _KIND,
    apiVersion=_TEXT, kind=_TEXT, metadata=Scalar("raw"), rules=List(_RULE), omitStages=_TEXTS,
    omitManagedFields=_BOOL,
)  # fmt: skip


def _read(text: str) -> JSON:
    """The policy as it is written; fields that it does not have are passed over (LoadPolicyFromBytes)."""
    try:
        document = yaml.load(text)
    except yaml.YamlError as problem:
        raise PolicyError(f"failed decoding: {problem}") from problem
    document = {} if document is None else document
    if not isinstance(document, dict):
        raise PolicyError(
            "failed decoding: couldn't get version/kind; json parse error: the policy is no object"
        )
    version, kind = document.get("apiVersion") or "", document.get("kind") or ""
    if not kind:
        raise PolicyError(f"failed decoding: Object 'Kind' is missing in '{text[:100]}'")
    if (version, kind) != (_VERSION, _KIND):
        what = f'no kind "{kind}" is registered for version "{version}" in scheme "{_SCHEME}"'
        raise PolicyError(f"failed decoding: {what}")
    try:
        policy = decode.decode_as(_POLICY, document).obj
    except decode.DecodeError as problem:
        raise PolicyError(f"failed decoding: {problem}") from problem
    rules = policy.get("rules") or []
    problems = [
        str(problem) for i, rule in enumerate(rules) for problem in _problems(rule or {}, f"rules[{i}]")
    ]
    if problems:
        raise PolicyError(problems[0] if len(problems) == 1 else f"[{', '.join(dict.fromkeys(problems))}]")
    if not rules:
        raise PolicyError("loaded illegal policy with 0 rules")
    if len(rules) > MAX_RULES:
        raise PolicyError(f"a policy may have {MAX_RULES} rules here (a real cluster takes more)")
    return policy


def _problems(rule: JSON, path: str) -> Iterator[FieldError]:
    """What is wrong with a rule (validatePolicyRule)."""
    level = rule.get("level") or ""
    if not level:
        yield errors.required(f"{path}.level")
    elif level not in LEVELS:
        yield errors.not_supported(f"{path}.level", level, LEVELS)
    urls = rule.get("nonResourceURLs") or []
    yield from _url_problems(urls, f"{path}.nonResourceURLs")
    for of_group in rule.get("resources") or ():
        yield from _group_problems(of_group or {}, f"{path}.resources")
    for i, stage in enumerate(rule.get("omitStages") or ()):
        if stage not in STAGES:
            allowed = f"allowed stages are {','.join(STAGES)}"
            yield errors.invalid_value(f"{path}.omitStages[{i}]", stage, allowed)
    if urls and (rule.get("resources") or rule.get("namespaces")):
        why = "rules cannot apply to both regular resources and non-resource URLs"
        yield errors.invalid_value(f"{path}.nonResourceURLs", urls, why)


def _url_problems(urls: Sequence[str], path: str) -> Iterator[FieldError]:
    for i, url in enumerate(urls):
        if url == "*":
            continue
        if not url.startswith("/"):
            why = "non-resource URL rules must begin with a '/' character"
            yield errors.invalid_value(f"{path}[{i}]", url, why)
        if "*" in url[:-1]:
            why = "non-resource URL wildcards '*' must be the final character of the rule"
            yield errors.invalid_value(f"{path}[{i}]", url, why)


def _group_problems(of_group: JSON, path: str) -> Iterator[FieldError]:
    group = of_group.get("group") or ""
    if group and (wrong := is_dns1123_subdomain(group)):
        yield errors.invalid_value(f"{path}.group", group, ",".join(wrong))
    if of_group.get("resourceNames") and not of_group.get("resources"):
        why = "using resourceNames requires at least one resource"
        yield errors.invalid_value(f"{path}.resourceNames", of_group["resourceNames"], why)
