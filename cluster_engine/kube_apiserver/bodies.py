"""Bodies of requests: an object, a patch, an applied configuration; each checked before it is used.

Models k8s.io/apiserver/pkg/endpoints/handlers/{create,update,patch}.go.
"""

from __future__ import annotations

from cluster_engine.apimachinery import decode, errors, yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Kind

from .negotiation import decode_body, media_type
from .patching import TYPES, check_applied
from .types import Request


def body_object(request: Request, kind: Kind, ctx_validation: str) -> tuple[JSON, list[str]]:
    """The body as an object of the kind, checked against its schema. Raises ApiError 400, 415."""
    obj, duplicates = decode_body(request, kind.kind)
    given_version, given_kind = obj.get("apiVersion") or kind.api_version, obj.get("kind") or kind.kind
    if (given_version, given_kind) != (kind.api_version, kind.kind):
        if given_version != kind.api_version:
            raise errors.bad_request(
                f"the API version in the data ({given_version}) does not match the expected API version "
                f"({kind.api_version})"
            )
        raise errors.bad_request(
            f'{given_kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
            f'no kind "{given_kind}" is registered for version "{kind.api_version}" in scheme '
            '"pkg/api/legacyscheme/scheme.go:30"'
        )
    if "apiVersion" not in obj or "kind" not in obj:
        obj = {**obj, "apiVersion": kind.api_version, "kind": kind.kind}
    return decode.handle_body(kind.api_version, kind.kind, obj, ctx_validation, duplicates, kind.structure)


def patch_document(request: Request) -> tuple[str, JSON | list[JSON]]:
    """(patch type, document). Raises ApiError 400, 415."""
    patch_type = TYPES.get(media_type(request))
    if patch_type is None or patch_type == "apply-cbor":
        raise errors.unsupported_media_type(
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(name for name, known in TYPES.items() if known != "apply-cbor")
        )
    try:
        if patch_type == "apply":
            return patch_type, yaml.load(request.body)
        document, _duplicates = decode.load_json(request.body)
    except (decode.DecodeError, yaml.YamlError) as problem:
        raise errors.bad_request(f"error decoding patch: {problem}") from problem
    return patch_type, document


def applied_configuration(kind: Kind, document: object, namespace: str, name: str) -> JSON:
    """The configuration of an apply, as it was written. Raises ApiError 400."""
    if not isinstance(document, dict):
        raise errors.bad_request("error decoding YAML: the patch is not an object")
    given = (document.get("apiVersion"), document.get("kind"))
    if given != (kind.api_version, kind.kind):
        if not all(given):
            raise errors.bad_request(
                "invalid object type: couldn't get version/kind; the patch needs apiVersion and kind"
            )
        raise errors.bad_request(
            f"invalid object type: {given[0]}, Kind={given[1]} is not {kind.api_version}, Kind={kind.kind}"
        )
    check_applied(kind, document, namespace, name)
    return document
