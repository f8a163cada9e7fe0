"""The objects that a binding gives to its policy as ``params``.

Models k8s.io/apiserver/pkg/admission/plugin/policy/generic/policy_matcher.go and policy_dispatcher.go
(CollectParams).
"""

from __future__ import annotations

from cluster_engine.apimachinery import labels
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Kind, Scheme

from ..plugin import Attributes


class ParamsError(Exception):
    """Params that cannot be found out; the text is upstream's."""


def param_kind(scheme: Scheme, spec: JSON) -> Kind | None:
    """The kind of a policy's params, None when it has none. Raises ParamsError when it is not served."""
    wanted = spec.get("paramKind")
    if wanted is None:
        return None
    api_version, kind = wanted.get("apiVersion") or "", wanted.get("kind") or ""
    found = scheme.of_object(api_version, kind)
    if found is None:
        shown = f"{api_version if '/' in api_version else '/' + api_version}, Kind={kind}"
        raise ParamsError(f"failed to find resource referenced by paramKind: '{shown}'")
    return found


def collect(attributes: Attributes, kind: Kind | None, ref: JSON | None) -> list[JSON | None]:
    """All params for which a request is checked; ``[None]`` when there is none to look for. Raises ParamsError."""
    if kind is None or ref is None:
        return [None]
    store, namespace = attributes.store, attributes.namespace
    wanted = ref.get("namespace") or ""
    if wanted and not kind.namespaced:
        raise ParamsError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
    if kind.namespaced and not (wanted or namespace):
        raise ParamsError(
            "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
        )
    where = (wanted or namespace) if kind.namespaced else None
    found: list[JSON]
    if ref.get("name"):
        name = ref["name"]
        one = store.get(kind.group_resource, f"{where}/{name}" if where else name)
        found = [] if one is None else [one]
    else:
        selector = labels.compile_selector(ref.get("selector") or {})
        found = [
            obj
            for obj in store.range(kind.group_resource, where)
            if selector.matches(obj["metadata"].get("labels"))
        ]
    if not found and ref.get("parameterNotFoundAction") == "Deny":
        raise ParamsError("no params found for policy binding with `Deny` parameterNotFoundAction")
    return [attributes.read(kind, obj) for obj in found]
