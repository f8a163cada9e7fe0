"""How a definition says that its versions are converted into each other.

Models pkg/apis/apiextensions/validation/validation.go (validateCustomResourceConversion) and
k8s.io/apiserver/pkg/util/webhook/validation.go (ValidateCABundle). Paths are those of upstream's internal form.
"""

from __future__ import annotations

import base64

from cluster_engine.api.admissionregistration.webhooks import REVIEW_VERSIONS, check_client
from cluster_engine.apimachinery import validation
from cluster_engine.apimachinery.cow import JSON, get
from cluster_engine.apimachinery.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from cluster_engine.component_helpers import certificates

STRATEGIES = ("None", "Webhook")
_PATH = "spec.conversion"
_ONLY = "should not be set when strategy is not set to Webhook"


def check(conversion: JSON, *, known_version: bool, any_bundle: bool) -> list[FieldError]:
    """What is wrong with it. ``known_version``: one of the review versions must be one that is spoken; ``any_bundle``:
    nobody looks into the caBundle."""
    strategy = conversion.get("strategy")
    if not strategy:
        return [required(f"{_PATH}.strategy")]
    if strategy not in STRATEGIES:
        return [not_supported(f"{_PATH}.strategy", strategy, STRATEGIES)]
    webhook = conversion.get("webhook") or {}
    config, versions = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or []
    path = f"{_PATH}.webhookClientConfig"
    problems: list[FieldError] = []
    if strategy != "Webhook":
        if config is not None:
            problems.append(forbidden_field(path, _ONLY))
        if versions:
            problems.append(forbidden_field(f"{_PATH}.conversionReviewVersions", _ONLY))
        return problems
    if config is None:
        problems.append(required(path, "required when strategy is set to Webhook"))
    else:
        problems += check_client(config, path)
        if not any_bundle and (wrong := bundle_problem(config.get("caBundle") or "")):
            problems.append(invalid_value(f"{path}.caBundle", config["caBundle"], wrong))
    return problems + _check_versions(versions, known_version, f"{_PATH}.conversionReviewVersions")


def _check_versions(versions: list[str], known: bool, path: str) -> list[FieldError]:
    if not versions:
        return [required(path)]
    problems: list[FieldError] = []
    for at, version in enumerate(versions):
        place = f"{path}[{at}]"
        if version in versions[:at]:
            problems.append(invalid_value(place, version, "duplicate version"))
            continue
        problems += [invalid_value(place, version, wrong) for wrong in validation.is_dns1035_label(version)]
    if known and not spoken(versions):
        told = f"must include at least one of {', '.join(REVIEW_VERSIONS)}"
        problems.append(invalid_value(path, versions, told))
    return problems


def spoken(versions: list[str]) -> bool:
    """Whether one of the versions of a ConversionReview is known."""
    return any(version in REVIEW_VERSIONS for version in versions)


def bundle_problem(bundle: str) -> str:
    """What is wrong with a caBundle; "": nothing, or there is none."""
    if not bundle:
        return ""
    try:
        wrong = certificates.bundle_problem(base64.b64decode(bundle))
    except ValueError:
        wrong = "unable to parse bytes as PEM block"
    return f"unable to load root certificates: {wrong}" if wrong else ""


def trusts_nobody(spec: JSON) -> bool:
    """Whether a definition's webhook cannot be believed whatever it says, so that it is not established."""
    return bool(bundle_problem(get(spec, "conversion", "webhook", "clientConfig", "caBundle", default="")))
