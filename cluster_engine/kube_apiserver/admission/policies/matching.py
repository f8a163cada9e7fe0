"""Which requests a policy and its bindings are about.

Models k8s.io/apiserver/pkg/admission/plugin/policy/matching/matching.go and pkg/admission/plugin/webhook/predicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cluster_engine.apimachinery import labels
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Kind

from ...subresources import scale
from ..plugin import Attributes

EXEMPT = frozenset(
    f"{name}.admissionregistration.k8s.io"
    for name in (
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations",
    )
)
"""What no policy sees: a cluster must not lock itself out."""


class Match(NamedTuple):
    """A request as a policy sees it: the kind in the version that a rule names, and the objects in it."""

    form: Kind
    obj: JSON | None
    old: JSON | None

    @property
    def obj_kind(self) -> tuple[str, str]:
        """apiVersion and kind of the objects."""
        shown = self.obj or self.old or {}
        return shown.get("apiVersion", self.form.api_version), shown.get("kind", self.form.kind)


def match(attributes: Attributes, constraints: JSON | None) -> Match | None:
    """What a policy or a binding with these constraints sees of the request; None when nothing."""
    own = attributes.kind.in_version(attributes.ctx.api_version) or attributes.kind
    if constraints is None:
        return _seen(attributes, own)
    if not _namespace_matches(attributes, constraints.get("namespaceSelector")):
        return None
    if not _object_matches(attributes, constraints.get("objectSelector")):
        return None
    exact = constraints.get("matchPolicy") == "Exact"
    others = (attributes.kind.stored or attributes.kind).forms
    forms = (own,) if exact else (own, *(form for form in others if form is not own))
    if _ruled(attributes, forms, constraints.get("excludeResourceRules") or ()) is not None:
        return None
    rules = constraints.get("resourceRules")
    if not rules:
        return _seen(attributes, own)
    form = _ruled(attributes, forms, rules)
    return None if form is None else _seen(attributes, form)


def _seen(attributes: Attributes, form: Kind) -> Match:
    obj, old = attributes.obj, attributes.old
    if attributes.subresource == "scale":
        paths = attributes.kind.scale
        return Match(form, obj and scale.scale_of(obj, paths), old and scale.scale_of(old, paths))
    return Match(form, attributes.shown(form, obj), attributes.shown(form, old))


def _ruled(attributes: Attributes, forms: Sequence[Kind], rules: Sequence[JSON]) -> Kind | None:
    """The first form that a rule names."""
    for rule in rules:
        if not _rule_matches(attributes, rule):
            continue
        versions, groups = rule.get("apiVersions") or (), rule.get("apiGroups") or ()
        for form in forms:
            if ("*" in versions or form.version in versions) and ("*" in groups or form.group in groups):
                return form
    return None


def _rule_matches(attributes: Attributes, rule: JSON) -> bool:
    operations = rule.get("operations") or ()
    if "*" not in operations and attributes.operation not in operations:
        return False
    names = rule.get("resourceNames")
    if names and attributes.name not in names:
        return False
    scope = rule.get("scope") or "*"
    namespaced = attributes.kind.namespaced
    if (scope == "Namespaced" and not namespaced) or (scope == "Cluster" and namespaced):
        return False
    return any(_named(attributes, resource) for resource in rule.get("resources") or ())


def _named(attributes: Attributes, text: str) -> bool:
    resource, _, sub = text.partition("/")
    if resource not in ("*", attributes.kind.resource):
        return False
    return sub in ("*", attributes.subresource) if "/" in text else not attributes.subresource


def _namespace_matches(attributes: Attributes, selector: JSON | None) -> bool:
    if not selector or not (selector.get("matchLabels") or selector.get("matchExpressions")):
        return True
    if attributes.resource == "namespaces":
        found = attributes.obj or attributes.old
    elif not attributes.namespace:
        return True
    else:
        found = attributes.store.get("namespaces", attributes.namespace)
    return _selected(selector, found)


def _object_matches(attributes: Attributes, selector: JSON | None) -> bool:
    if not selector or not (selector.get("matchLabels") or selector.get("matchExpressions")):
        return True
    return any(_selected(selector, obj) for obj in (attributes.obj, attributes.old) if obj is not None)


def _selected(selector: JSON, obj: JSON | None) -> bool:
    found = ((obj or {}).get("metadata") or {}).get("labels")
    return labels.compile_selector(selector).matches(found)
