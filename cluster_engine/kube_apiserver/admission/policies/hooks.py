"""Webhooks: which of them a write concerns, what they are asked, and what becomes of what they say.

A webhook that cannot be reached refuses the write, or, if its failurePolicy is Ignore, lets it through.

Models k8s.io/apiserver/pkg/admission/plugin/webhook/generic and pkg/admission/plugin/webhook/{mutating,validating}.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cluster_engine.apimachinery import decode, errors
from cluster_engine.apimachinery import patch as patching
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.identity_cache import RULE_CACHE
from cluster_engine.cel.errors import CelError

from ... import webhook_client
from ..plugin import Attributes, Host
from . import admission_reviews, matching
from .activation import activation, admission_request
from .admission_reviews import Said
from .compiled import applies, conditions_of
from .matching import Match

_IF_NEEDED = "IfNeeded"


class Hook(NamedTuple):
    """A webhook of a configuration."""

    configuration: str
    spec: JSON

    @property
    def uid(self) -> str:
        """Which it is among all."""
        return f"{self.configuration}/{self.spec['name']}"


def hooks(attributes: Attributes, configurations: str) -> Iterator[Hook]:
    """The webhooks of all configurations of that resource, in the order of the configurations' names."""
    for configuration in attributes.store.range(configurations):
        for spec in configuration.get("webhooks") or ():
            yield Hook(configuration["metadata"]["name"], spec)


def validate(attributes: Attributes, configurations: str, host: Host) -> None:
    """Asks all that the write concerns; the first refusal counts. Raises ApiError 400, 403, 500, 501."""
    for hook in hooks(attributes, configurations):
        matched = _concerned(attributes, hook.spec, host)
        if matched is not None:
            _asked(attributes, hook, matched, host, mutating=False)


def mutate(attributes: Attributes, configurations: str, host: Host) -> None:
    """Lets each webhook change the object in ``attributes``, and what must be asked again be asked. Raises ApiError.

    In the second round only those are asked that wish it and before which something had not been changed yet.
    """
    rounds = attributes.rounds
    for hook in hooks(attributes, configurations):
        if rounds.second and hook.uid not in rounds.due:
            continue
        matched = _concerned(attributes, hook.spec, host)
        if matched is None:
            continue
        said = _asked(attributes, hook, matched, host, mutating=True)
        if said is not None and said.patch and _changed(attributes, hook.spec, matched, said):
            rounds.changed()
        if hook.spec.get("reinvocationPolicy") == _IF_NEEDED:
            rounds.asked.append(hook.uid)


def _concerned(attributes: Attributes, hook: JSON, host: Host) -> Match | None:
    """What a webhook sees of the write; None when it is none of its business."""
    if not hook.get("rules"):
        return None
    matched = matching.match(attributes, {**hook, "resourceRules": hook["rules"]})
    if matched is None:
        return None
    conditions = RULE_CACHE.of("webhook", hook)
    if conditions is None:
        conditions = conditions_of(hook)
        RULE_CACHE.keep("webhook", hook, conditions)
    try:
        return (
            matched if applies(conditions, activation(attributes, matched, None, host.authorizer)) else None
        )
    except CelError as error:
        if hook["failurePolicy"] == "Ignore":
            return None
        raise errors.forbidden(attributes.resource, attributes.name, str(error)) from None


def _asked(attributes: Attributes, hook: Hook, matched: Match, host: Host, mutating: bool) -> Said | None:
    """What the webhook says; None when it could not be asked and that does not matter. Raises ApiError."""
    spec, name = hook.spec, hook.spec["name"]
    versions = [version for version in spec["admissionReviewVersions"] if version in ("v1", "v1beta1")]
    uid = attributes.identities.review(hook.uid, attributes.resource, attributes.namespace, attributes.name)
    request = admission_request(attributes, matched)
    asked = admission_reviews.question(versions[0], uid, request, matched.obj, matched.old)
    try:
        review = webhook_client.post(
            host.nodes, attributes.store, spec["clientConfig"], spec["timeoutSeconds"], asked
        )
        said = admission_reviews.answer(versions[0], uid, review, mutating)
    except webhook_client.OutOfReach as error:
        if spec["failurePolicy"] == "Ignore":
            attributes.ctx.warnings.append(
                f"not simulated by this cluster: the webhook {name!r} was not asked"
            )
            return None
        raise errors.not_simulated(
            f'a call of the webhook "{name}" ({error}), which a real cluster makes'
        ) from None
    except (webhook_client.CallFailed, admission_reviews.Invalid) as error:
        if spec["failurePolicy"] == "Ignore":
            return None
        kind = "failed to call webhook: " if isinstance(error, webhook_client.CallFailed) else ""
        what = kind or "received invalid webhook response: "
        raise errors.internal(f'failed calling webhook "{name}": {what}{error}') from None
    attributes.ctx.warnings.extend(said.warnings)
    if not said.allowed:
        raise admission_reviews.refusal(name, said.status)
    return said


def _changed(attributes: Attributes, hook: JSON, matched: Match, said: Said) -> bool:
    """Applies a webhook's patch; whether that changed anything. Raises ApiError."""
    form, before = matched.form, matched.obj
    if before is None or attributes.obj is None:
        raise errors.internal(
            f'admission webhook "{hook["name"]}" attempted to modify the object, '
            "which is not supported for this operation"
        )
    try:
        new = patching.json_patch(before, said.patch)
        new = decode.decode(form.api_version, form.kind, new, form.structure, loose=True).obj
    except (patching.PatchError, decode.DecodeError) as error:
        raise errors.internal(str(error)) from None
    new = form.default(new)
    if new == before:
        return False
    attributes.obj = attributes.taken(form, new)
    return True
