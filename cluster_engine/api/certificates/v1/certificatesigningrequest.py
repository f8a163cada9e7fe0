"""CertificateSigningRequest.

Models pkg/registry/certificates/certificates/strategy.go and pkg/apis/certificates/validation.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, NONE, age, doc
from cluster_engine.apimachinery import duration
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
    too_long,
)
from cluster_engine.apimachinery.identity_cache import RULE_CACHE
from cluster_engine.apimachinery.scheme import Column, Kind, Strategy, Subresource, Write
from cluster_engine.apimachinery.validation import (
    is_dns1123_label,
    is_dns1123_subdomain,
    validate_object_meta_update,
)
from cluster_engine.component_helpers.certificates import (
    EXTENDED_USAGES,
    KEY_USAGES,
    Problem,
    certificate_problem,
    read_request,
)

_LEGACY = "kubernetes.io/legacy-unknown"
_USAGES = tuple(sorted((*KEY_USAGES, *EXTENDED_USAGES)))
_SHORTEST = 600
_FINAL = ("Approved", "Denied", "Failed")
_DECIDED = ("Approved", "Denied")
_STATUSES = ("False", "True", "Unknown")
_DOMAIN_LENGTH, _PATH_LENGTH = 253, 253 + 63 + 1
_REQUESTER = ("username", "uid", "groups", "extra")


def request_of(csr: JSON) -> bytes:
    """The PEM text of the request."""
    return base64.b64decode(csr["spec"].get("request") or "")


def certificate_of(csr: JSON) -> bytes:
    """The PEM text of what was issued; b"": nothing yet."""
    return base64.b64decode((csr.get("status") or {}).get("certificate") or "")


def conditions(csr: JSON, type_: str = "") -> list[JSON]:
    """The conditions, or those of one type."""
    found: list[JSON] = (csr.get("status") or {}).get("conditions") or []
    return [each for each in found if each.get("type") == type_] if type_ else found


def stamped(request: JSON, old: JSON, now: str) -> list[JSON]:
    """Its conditions, with when each came where their writer does not say it (populateConditionTimestamps)."""
    made = []
    for each in conditions(request):
        before = (
            earlier["lastTransitionTime"]
            for earlier in conditions(old, each.get("type") or "")
            if earlier.get("status") == each.get("status") and earlier.get("lastTransitionTime")
        )
        at = each.get("lastTransitionTime") or next(before, now)
        made.append({**each, "lastTransitionTime": at})
    return made


# ---- strategies ------------------------------------------------------------------------------------------


def prepare_create(csr: JSON) -> JSON:
    """Nobody says for whom they ask, and nothing is approved beforehand."""
    spec = {name: value for name, value in (csr.get("spec") or {}).items() if name not in _REQUESTER}
    return {**csr, "spec": spec, "status": {}}


def prepare_update(new: JSON, old: JSON) -> JSON:
    """Spec and status stay as they are."""
    return {**new, "spec": old["spec"], "status": old.get("status") or {}}


def prepare_status(new: JSON, old: JSON) -> JSON:
    """The signer's part: approvals and denials stay."""
    status = new.get("status") or {}
    kept = [dict(each) for each in conditions(new)]
    for type_ in _DECIDED:
        places = [at for at, each in enumerate(kept) if each.get("type") == type_]
        before = conditions(old, type_)
        if len(places) == len(before):
            for at, each in zip(places, before, strict=True):
                kept[at] = each
    return {**new, "spec": old["spec"], "status": {**status, "conditions": kept} if kept else status}


def prepare_approval(new: JSON, old: JSON) -> JSON:
    """Conditions alone."""
    rest = {name: value for name, value in (old.get("status") or {}).items() if name != "conditions"}
    given = conditions(new)
    return {**new, "spec": old["spec"], "status": {**rest, "conditions": given} if given else rest}


def attribute(csr: JSON, old: JSON | None, write: Write) -> JSON:
    """Who asks; and when conditions were written (populateConditionTimestamps)."""
    if old is None:
        return {**csr, "spec": {**csr["spec"], **write.user}}
    if not write.subresource or not conditions(csr):
        return csr
    made = [
        {**each, "lastUpdateTime": each.get("lastUpdateTime") or write.now}
        for each in stamped(csr, old, write.now)
    ]
    return {**csr, "status": {**csr["status"], "conditions": made}}


# ---- validation ------------------------------------------------------------------------------------------


def _request_problem(csr: JSON) -> str:
    spec = csr["spec"]
    key = ("certificate request", id(spec))
    found: str | None = RULE_CACHE.get(key)
    if found is None:
        try:
            read_request(request_of(csr))
            found = ""
        except Problem as problem:
            found = str(problem)
        RULE_CACHE.put(key, found, spec)
    return found


def check_signer_name(name: str, path: str) -> list[FieldError]:
    """A domain with two segments at least, and a path (ValidateSignerName)."""
    if not name:
        return [required(path)]
    parts = name.split("/")
    if len(parts) != 2:
        text = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        return [invalid_value(path, name, text)]
    domain, rest = parts
    problems = [too_long(path, "", _DOMAIN_LENGTH)] if len(domain) > _DOMAIN_LENGTH else []
    problems += _first_wrong(path, domain, [(label, is_dns1123_label(label)) for label in domain.split(".")])
    if "." not in domain:
        text = "should be a domain with at least two segments separated by dots"
        problems.append(invalid_value(path, domain, text))
    problems += _first_wrong(path, rest, [(label, is_dns1123_subdomain(label)) for label in rest.split(".")])
    longest = _DOMAIN_LENGTH + _PATH_LENGTH + 1
    return [*problems, too_long(path, "", longest)] if len(name) > longest else problems


def _first_wrong(path: str, value: str, labels: Sequence[tuple[str, list[str]]]) -> list[FieldError]:
    for label, wrong in labels:
        if wrong:
            return [invalid_value(path, value, f'validating label "{label}": {text}') for text in wrong]
    return []


def _check_conditions(csr: JSON, old: JSON | None) -> list[FieldError]:
    path = "status.conditions"
    problems: list[FieldError] = []
    seen: list[str] = []
    had = [] if old is None else [each.get("type") or "" for each in conditions(old)]
    for index, each in enumerate(conditions(csr)):
        type_, status, at = each.get("type") or "", each.get("status") or "", f"{path}[{index}]"
        if not type_ and "" not in had:
            problems.append(required(f"{at}.type"))
        allowed = ("True",) if type_ in _FINAL else _STATUSES
        if not status:
            problems.append(required(f"{at}.status"))
        elif status not in allowed:
            problems.append(not_supported(f"{at}.status", status, allowed))
        other = {"Approved": "Denied", "Denied": "Approved"}.get(type_)
        if other in seen and not set(_DECIDED) <= set(had):
            text = "Approved and Denied conditions are mutually exclusive"
            problems.append(invalid_value(f"{at}.type", type_, text))
        if type_ in seen and len(set(had)) == len(had):
            problems.append(duplicate(f"{at}.type", type_))
        seen.append(type_)
    return problems


def _check(csr: JSON, old: JSON | None = None) -> list[FieldError]:
    spec = csr["spec"]
    problems: list[FieldError] = []
    if wrong := _request_problem(csr):
        problems.append(invalid_value("spec.request", spec.get("request") or "", wrong))
    usages = spec.get("usages") or []
    if not usages:
        problems.append(required("spec.usages"))
    problems += [
        not_supported(f"spec.usages[{index}]", usage, _USAGES)
        for index, usage in enumerate(usages)
        if usage not in _USAGES
    ]
    problems += [
        duplicate(f"spec.usages[{index}]", usage)
        for index, usage in enumerate(usages)
        if usage in usages[:index]
    ]
    signer = spec.get("signerName") or ""
    if signer == _LEGACY and old is None:
        text = "the legacy signerName is not allowed via this API version"
        problems.append(invalid_value("spec.signerName", signer, text))
    else:
        problems += check_signer_name(signer, "spec.signerName")
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < _SHORTEST:
        text = "may not specify a duration less than 600 seconds (10 minutes)"
        problems.append(invalid_value("spec.expirationSeconds", seconds, text))
    problems += _check_conditions(csr, old)
    issued = certificate_of(csr)
    if issued and (old is None or issued != certificate_of(old)) and (wrong := certificate_problem(issued)):
        problems.append(invalid_value("status.certificate", "<certificate data>", wrong))
    return problems


def validate(csr: JSON) -> list[FieldError]:
    """What is wrong with a new request."""
    return check_meta(csr, namespaced=False, name_rule="path_segment") + _check(csr)


def _check_update(new: JSON, old: JSON, approves: bool, signs: bool) -> list[FieldError]:
    problems, path = _check(new, old), "status.conditions"
    for type_ in _FINAL:
        if len(conditions(new, type_)) < len(conditions(old, type_)):
            problems.append(forbidden_field(path, f'updates may not remove a condition of type "{type_}"'))
    for type_ in () if approves else _DECIDED:
        if len(conditions(new, type_)) > len(conditions(old, type_)):
            problems.append(forbidden_field(path, f'updates may not add a condition of type "{type_}"'))
    issued, before = certificate_of(new), certificate_of(old)
    if issued != before and not signs:
        problems.append(forbidden_field("status.certificate", "updates may not set certificate content"))
    elif issued != before and before:
        text = "updates may not modify existing certificate content"
        problems.append(forbidden_field("status.certificate", text))
    return problems


def validate_approval(new: JSON, old: JSON) -> list[FieldError]:
    """What is wrong with an approval or a denial."""
    problems = _check_update(new, old, approves=True, signs=False)
    return problems + validate_object_meta_update(new["metadata"], old["metadata"])


# ---- printing --------------------------------------------------------------------------------------------


def _condition(csr: JSON) -> str:
    denied, approved, failed = (conditions(csr, type_) for type_ in ("Denied", "Approved", "Failed"))
    told = "Denied" if denied else "Approved" if approved else "Pending"
    return told + (",Failed" if failed else "") + (",Issued" if certificate_of(csr) else "")


def row(csr: JSON, now: int) -> list[Any]:
    """The cells of a request."""
    spec = csr["spec"]
    seconds = spec.get("expirationSeconds")
    return [
        csr["metadata"]["name"],
        age(csr, now),
        spec.get("signerName") or NONE,
        spec.get("username") or "",
        NONE if seconds is None else duration.human_duration(seconds),
        _condition(csr),
    ]


_SPEC = "certificates.v1.CertificateSigningRequestSpec"
KIND = Kind(
    group="certificates.k8s.io",
    version="v1",
    kind="CertificateSigningRequest",
    resource="certificatesigningrequests",
    singular="certificatesigningrequest",
    namespaced=False,
    short_names=("csr",),
    subresources={"approval": Subresource(), "status": Subresource()},
    columns=(
        NAME,
        AGE,
        Column("SignerName", description=doc(_SPEC, "signerName")),
        Column("Requestor", description=doc(_SPEC, "request")),
        Column("RequestedDuration", description=doc(_SPEC, "expirationSeconds")),
        Column("Condition", description=doc("certificates.v1.CertificateSigningRequestStatus", "conditions")),
    ),
    row=row,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    prepare_status=prepare_status,
    attribute=attribute,
    reset=("spec", "status"),
    validate=validate,
    validate_update=lambda new, old: _check_update(new, old, approves=False, signs=False),
    validate_status=lambda new, old: _check_update(new, old, approves=False, signs=True),
    strategies={"approval": Strategy(prepare_approval, validate_approval, ("spec", "status.certificate"))},
    field_labels={"spec.signerName": lambda csr: csr["spec"].get("signerName") or ""},
)
