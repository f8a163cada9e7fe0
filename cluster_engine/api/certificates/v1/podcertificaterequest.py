"""PodCertificateRequest: a Pod's kubelet asks a signer for a certificate.

Models pkg/registry/certificates/podcertificaterequest and pkg/apis/certificates/validation.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from cluster_engine.api.conditions import check_conditions
from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.strategy import keep_labels, keep_status, same
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    OMITTED,
    FieldError,
    invalid_value,
    not_supported,
    required,
    too_long,
)
from cluster_engine.apimachinery.scheme import Kind, Write
from cluster_engine.apimachinery.validation import (
    ANNOTATIONS_LIMIT,
    is_dns1123_subdomain,
    is_qualified_name,
)
from cluster_engine.component_helpers.pod_certificates import (
    MAX_CHAIN,
    Leaf,
    chain_problems,
    rest_problem,
    stub_problem,
)
from cluster_engine.sim import SECOND, parse_rfc3339

from .certificatesigningrequest import check_signer_name, conditions, stamped

DEFAULT_SECONDS = 86_400
SHORTEST, LONGEST, LONGEST_OF_KUBERNETES = 3_600, 7_862_400, 86_400
"""Seconds that may be asked for."""
MAX_STUB = 10 * 1024
"""Bytes of a request."""
_UID_LENGTH = 128
_FINAL = ("Issued", "Denied", "Failed")
_CHAIN, _STUB = "status.certificateChain", "spec.stubPKCS10Request"
_TEN_MINUTES = 600 * SECOND


def default(request: JSON) -> JSON:
    """The request with how long the certificate may be valid."""
    spec = request.get("spec") or {}
    if spec.get("maxExpirationSeconds") is not None:
        return request
    return {**request, "spec": {**spec, "maxExpirationSeconds": DEFAULT_SECONDS}}


def prepare_status(new: JSON, old: JSON) -> JSON:
    """The status alone."""
    return keep_labels({**new, "spec": old["spec"]}, old)


def attribute(request: JSON, old: JSON | None, write: Write) -> JSON:
    """When conditions came, where their writer does not say it."""
    if old is None or not write.subresource or not conditions(request):
        return request
    return {**request, "status": {**request["status"], "conditions": stamped(request, old, write.now)}}


# ---- validation ------------------------------------------------------------------------------------------


def _check_annotations(annotations: Mapping[str, str], path: str) -> list[FieldError]:
    """Keys with a domain, whatever their case (ValidateUserAnnotations)."""
    problems: list[FieldError] = []
    for name in annotations:
        key = name.lower()
        wrong = is_qualified_name(key)
        if not key:
            problems.append(required(path))
        elif wrong:
            problems += [invalid_value(path, key, text) for text in wrong]
        elif "/" not in key:
            text = 'must be a domain-prefixed key (such as "acme.io/foo")'
            problems.append(invalid_value(path, key, text))
    if (
        sum(len(name.encode()) + len(value.encode()) for name, value in annotations.items())
        > ANNOTATIONS_LIMIT
    ):
        problems.append(too_long(path, "", ANNOTATIONS_LIMIT))
    return problems


def _check_whom(spec: JSON, who: str) -> list[FieldError]:
    """The name and the uid of the Pod, its account or its node."""
    name, uid = spec.get(f"{who}Name") or "", spec.get(f"{who}UID") or ""
    problems = [invalid_value(f"spec.{who}Name", name, text) for text in is_dns1123_subdomain(name)]
    if not uid:
        problems.append(invalid_value(f"spec.{who}UID", uid, "must not be empty"))
    if len(uid.encode()) > _UID_LENGTH:
        problems.append(too_long(f"spec.{who}UID", uid, _UID_LENGTH))
    return problems


def _is_of_kubernetes(signer: str) -> bool:
    host = signer.partition("/")[0]
    return host == "kubernetes.io" or host.endswith(".kubernetes.io")


def _check(request: JSON) -> list[FieldError]:
    spec = request.get("spec") or {}
    signer = spec.get("signerName") or ""
    problems = check_signer_name(signer, "spec.signerName")
    problems += _check_annotations(
        spec.get("unverifiedUserAnnotations") or {}, "spec.unverifiedUserAnnotations"
    )
    for who in ("pod", "serviceAccount", "node"):
        problems += _check_whom(spec, who)
    seconds = spec.get("maxExpirationSeconds")
    longest = LONGEST_OF_KUBERNETES if _is_of_kubernetes(signer) else LONGEST
    if seconds is None:
        return [*problems, required("spec.maxExpirationSeconds", "must be set")]
    if not SHORTEST <= seconds <= longest:
        text = f"must be in the range [{SHORTEST}, {longest}]"
        problems.append(invalid_value("spec.maxExpirationSeconds", seconds, text))
    return problems + _check_stub(_stub(request))


def _stub(request: JSON) -> bytes:
    return base64.b64decode((request.get("spec") or {}).get("stubPKCS10Request") or "")


def _check_stub(stub: bytes) -> list[FieldError]:
    if not stub:
        return [required(_STUB)]
    if len(stub) > MAX_STUB:
        return [too_long(_STUB, "", MAX_STUB)]
    wrong = stub_problem(stub)
    return [] if wrong is None else [invalid_value(_STUB, wrong.value, wrong.detail)]


def _check_final(request: JSON) -> list[FieldError]:
    """One of the known conditions at most, and True. (Their paths are upstream's.)"""
    problems: list[FieldError] = []
    known = 0
    for index, each in enumerate(conditions(request)):
        path, type_ = f"status.conditions.[{index}]", each.get("type") or ""
        if type_ not in _FINAL:
            problems.append(not_supported(f"{path}.type", type_, _FINAL))
            continue
        known += 1
        if known > 1:
            text = 'There may be at most one condition with type "Issued", "Denied", or "Failed"'
            problems.append(invalid_value(f"{path}.type", type_, text))
        if each.get("status") != "True":
            problems.append(not_supported(f"{path}.status", each.get("status") or "", ("True",)))
    return problems + check_conditions(conditions(request), "status.conditions")


def _has(request: JSON, *types: str) -> bool:
    return any(each.get("status") == "True" for type_ in types for each in conditions(request, type_))


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """A status goes one way: to a certificate, a denial or a failure."""
    problems = _check_final(new)
    if problems:
        return problems
    status, before = new.get("status") or {}, old.get("status") or {}
    if _has(old, *_FINAL):
        text = "immutable after PodCertificateRequest is issued, denied, or failed"
        return [] if same(status, before) else [invalid_value("status", OMITTED, text)]
    if _has(new, "Denied", "Failed"):
        text = "non-condition status fields must be empty when denying or failing the PodCertificateRequest"
        alone = same(status, {"conditions": conditions(new)})
        return [] if alone else [invalid_value("status", OMITTED, text)]
    if _has(new, "Issued"):
        return _check_issued(new)
    text = 'status is immutable unless transitioning to "Issued", "Denied", or "Failed"'
    return [] if same(status, before) else [invalid_value("status", OMITTED, text)]


def _check_issued(request: JSON) -> list[FieldError]:
    status = request.get("status") or {}
    chain = (status.get("certificateChain") or "").encode()
    if len(chain) > MAX_CHAIN:
        return [too_long(_CHAIN, "", MAX_CHAIN)]
    wrong, leaf = chain_problems(chain, _stub(request))
    problems = [invalid_value(_CHAIN, each.value, each.detail) for each in wrong]
    if leaf is None:
        return problems
    for name, text in (
        ("notBefore", "must be present and consistent with the issued certificate"),
        ("notAfter", "must be present and consistent with the issued certificate"),
        ("beginRefreshAt", "must be present and in the range [notbefore+10min, notafter-10min]"),
    ):
        if not status.get(name):
            problems.append(required(f"status.{name}", text))
    if problems:
        return problems
    if problem := _time_problem(request, leaf):
        return [problem]
    rest = rest_problem(chain)
    return [] if rest is None else [invalid_value(_CHAIN, rest.value, rest.detail)]


def _time_problem(request: JSON, leaf: Leaf) -> FieldError | None:
    """The first thing that is wrong with the times."""
    status = request["status"]
    begins, ends, refresh = (
        parse_rfc3339(status[name]) for name in ("notBefore", "notAfter", "beginRefreshAt")
    )
    longest, lifetime = request["spec"]["maxExpirationSeconds"], leaf.ends - leaf.begins
    told = lifetime * 1_000
    rules = (
        (
            begins != leaf.begins,
            "status.notBefore",
            status["notBefore"],
            "must be set to the NotBefore time encoded in the leaf certificate",
        ),
        (
            ends != leaf.ends,
            "status.notAfter",
            status["notAfter"],
            "must be set to the NotAfter time encoded in the leaf certificate",
        ),
        (lifetime < 3_600 * SECOND, _CHAIN, told, "leaf certificate lifetime must be >= 1 hour"),
        (
            lifetime > longest * SECOND,
            _CHAIN,
            told,
            f"leaf certificate lifetime must be <= spec.maxExpirationSeconds ({longest})",
        ),
        (
            refresh < begins + _TEN_MINUTES,
            "status.beginRefreshAt",
            status["beginRefreshAt"],
            "must be at least 10 minutes after status.notBefore",
        ),
        (
            refresh > ends - _TEN_MINUTES,
            "status.beginRefreshAt",
            status["beginRefreshAt"],
            "must be at least 10 minutes before status.notAfter",
        ),
    )
    return next((invalid_value(path, value, text) for broken, path, value, text in rules if broken), None)


KIND = Kind(
    group="certificates.k8s.io",
    version="v1",
    kind="PodCertificateRequest",
    resource="podcertificaterequests",
    singular="podcertificaterequest",
    namespaced=True,
    subresources=STATUS,
    default=default,
    prepare_create=lambda request: {**request, "status": {}},
    prepare_update=keep_status,
    prepare_status=prepare_status,
    attribute=attribute,
    validate=lambda request: check_meta(request) + _check(request),
    validate_update=lambda new, old: check_immutable(new.get("spec"), old.get("spec"), "spec"),
    validate_status=validate_status,
    unconditional_update=False,
)
