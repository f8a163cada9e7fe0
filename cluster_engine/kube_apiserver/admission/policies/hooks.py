"""Webhooks: which of them a write concerns, and why none is called.

Nothing answers admission reviews in this cluster. A write that a webhook would be asked about is refused as a real
cluster refuses it when the webhook cannot be reached, or, if its failurePolicy is Ignore, let through with a warning.

Models k8s.io/apiserver/pkg/admission/plugin/webhook/generic and pkg/admission/plugin/webhook/{mutating,validating}.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.identity_cache import RULE_CACHE
from cluster_engine.cel.errors import CelError

from ...authorization import AuthorizerChain
from ..plugin import Attributes
from . import matching
from .activation import activation
from .compiled import applies, conditions_of


def ask(attributes: Attributes, configurations: str, authorizer: AuthorizerChain) -> None:
    """Asks the webhooks of all configurations of that resource. Raises ApiError 403, 500, 501."""
    for configuration in attributes.store.range(configurations):
        for hook in configuration.get("webhooks") or ():
            if _concerns(attributes, hook, authorizer):
                _call(attributes, hook)


def _concerns(attributes: Attributes, hook: JSON, authorizer: AuthorizerChain) -> bool:
    if not hook.get("rules"):
        return False
    matched = matching.match(attributes, {**hook, "resourceRules": hook["rules"]})
    if matched is None:
        return False
    conditions = RULE_CACHE.of("webhook", hook)
    if conditions is None:
        conditions = conditions_of(hook)
        RULE_CACHE.keep("webhook", hook, conditions)
    try:
        return applies(conditions, activation(attributes, matched, None, authorizer))
    except CelError as error:
        if hook["failurePolicy"] == "Ignore":
            return False
        raise errors.forbidden(attributes.resource, attributes.name, str(error)) from None


def _call(attributes: Attributes, hook: JSON) -> None:
    address = f'Post "{_address(hook)}?timeout={hook["timeoutSeconds"]}s"'
    missing = _missing(attributes, hook["clientConfig"].get("service"))
    if hook["failurePolicy"] == "Ignore":
        attributes.ctx.warnings.append(
            f"not simulated by this cluster: the webhook {hook['name']!r} was not asked"
        )
    elif missing:
        told = f'failed calling webhook "{hook["name"]}": failed to call webhook: {address}: {missing}'
        raise errors.internal(told)
    else:
        raise errors.not_simulated(
            f'a call of the webhook "{hook["name"]}" ({address}), which a real cluster makes'
        )


def _address(hook: JSON) -> str:
    config = hook["clientConfig"]
    service = config.get("service")
    if service is None:
        return str(config["url"])
    path = (service.get("path") or "/").lstrip("/")
    return f"https://{service['name']}.{service['namespace']}.svc:{service['port']}/{path}"


def _missing(attributes: Attributes, service: JSON | None) -> str:
    """Why a Service cannot be reached, in the words of the API server's resolver; "" where it might be."""
    if service is None:
        return ""
    store, key = attributes.store, f"{service['namespace']}/{service['name']}"
    if store.get("services", key) is None:
        return f'service "{service["name"]}" not found'
    subsets = (store.get("endpoints", key) or {}).get("subsets") or ()
    if not any(subset.get("addresses") for subset in subsets):
        return f'no endpoints available for service "{service["name"]}"'
    return ""
