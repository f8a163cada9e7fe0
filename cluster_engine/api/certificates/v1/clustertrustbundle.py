"""ClusterTrustBundle: certificates of authorities, for whoever wants to trust those of a signer.

Models pkg/registry/certificates/clustertrustbundle and pkg/apis/certificates/validation (ValidateClusterTrustBundle).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import NAME, NONE, doc
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, too_long
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import is_dns1123_subdomain
from cluster_engine.component_helpers.certificates import trust_problem

from .certificatesigningrequest import check_signer_name

MAX_SIZE = 1 << 20
"""Bytes of a bundle."""
_SPEC = "certificates.v1.ClusterTrustBundleSpec"


def _spec(bundle: JSON) -> tuple[str, str]:
    spec = bundle.get("spec") or {}
    return spec.get("signerName") or "", spec.get("trustBundle") or ""


def _check_name(bundle: JSON) -> list[FieldError]:
    """Of a signer's bundle the name begins with the signer's; one without may have no colon."""
    name, signer = bundle["metadata"].get("name") or "", _spec(bundle)[0]
    prefix = signer.replace("/", ":") + ":" if signer else ""
    if not name.startswith(prefix):
        told = f"ClusterTrustBundle for signerName {signer} must be named with prefix {prefix}"
        return [invalid_value("metadata.name", name, told)]
    wrong = is_dns1123_subdomain(name.removeprefix(prefix))
    return [invalid_value("metadata.name", name, text) for text in wrong] if name else []


def _check_bundle(bundle: JSON) -> list[FieldError]:
    path, text = "spec.trustBundle", _spec(bundle)[1]
    data = text.encode()
    if len(data) > MAX_SIZE:
        return [too_long(path, "<value omitted>", MAX_SIZE)]
    problem = trust_problem(data, MAX_SIZE)
    return [invalid_value(path, "<value omitted>", problem)] if problem else []


def _check_signer(bundle: JSON) -> list[FieldError]:
    signer = _spec(bundle)[0]
    return check_signer_name(signer, "spec.signerName") if signer else []


def validate(bundle: JSON) -> list[FieldError]:
    """What is wrong with a new bundle."""
    problems = check_meta(bundle, namespaced=False, name_rule="path_segment") + _check_name(bundle)
    return problems + _check_signer(bundle) + _check_bundle(bundle)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """The signer stays; what was stored is not looked at again."""
    problems = _check_name(new) + _check_signer(new)
    if _spec(new)[1] != _spec(old)[1]:
        problems += _check_bundle(new)
    return problems + check_immutable(_spec(new)[0], _spec(old)[0], "spec.signerName")


def row(bundle: JSON, now: int) -> list[Any]:
    """The cells of a bundle."""
    return [bundle["metadata"]["name"], _spec(bundle)[0] or NONE]


KIND = Kind(
    group="certificates.k8s.io",
    version="v1",
    kind="ClusterTrustBundle",
    resource="clustertrustbundles",
    singular="clustertrustbundle",
    namespaced=False,
    columns=(NAME, Column("SignerName", description=doc(_SPEC, "signerName"))),
    row=row,
    validate=validate,
    validate_update=validate_update,
    field_labels={"spec.signerName": lambda bundle: _spec(bundle)[0]},
)
