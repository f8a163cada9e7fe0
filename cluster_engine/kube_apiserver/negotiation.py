"""Content types: which form a client sends, which it wants back.

Models k8s.io/apiserver/pkg/endpoints/handlers/negotiation. Replies are JSON (or YAML); a client that takes
nothing but protobuf gets a 406.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from cluster_engine.apimachinery import decode, errors, protobuf, yaml
from cluster_engine.apimachinery.cow import JSON

from .requests import first
from .types import Request

JSON_TYPE = "application/json"
YAML_TYPE = "application/yaml"
PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf"
_ACCEPTED = f"{JSON_TYPE}, {YAML_TYPE}, {PROTOBUF_TYPE}"
_CLAUSES_LIMIT = 64
_PRETTY_AGENTS = ("curl", "Wget", "Mozilla/5.0")


@dataclass(frozen=True, slots=True)
class Accept:
    """One way to answer: `form` is "", "Table", "PartialObjectMetadata[List]" or "APIGroupDiscoveryList"."""

    media: str = JSON_TYPE
    form: str = ""
    group: str = ""
    version: str = ""


def parse_accept(header: str) -> list[Accept]:
    """The clauses that this server can give, best first."""
    found: list[tuple[float, int, Accept]] = []
    for index, clause in enumerate(header.split(",")[:_CLAUSES_LIMIT]):
        pieces = [piece.strip() for piece in clause.split(";")]
        params = dict(piece.partition("=")[::2] for piece in pieces[1:])
        media = pieces[0].lower()
        if media in ("*/*", "application/*", JSON_TYPE, "application/json*"):
            media = JSON_TYPE
        elif media not in (YAML_TYPE, "text/yaml") or params.get("stream"):
            continue
        else:
            media = YAML_TYPE
        try:
            quality = float(params.get("q", "1"))
        except ValueError:
            quality = 1.0
        accept = Accept(media, params.get("as", ""), params.get("g", ""), params.get("v", ""))
        found.append((-quality, index, accept))
    return [accept for _quality, _index, accept in sorted(found, key=lambda item: item[:2])]


def negotiate(request: Request, allowed: tuple[str, ...] = ()) -> Accept:
    """The best clause whose form is plain or one of `allowed`. Raises ApiError 406."""
    header = request.headers.get("accept", "")
    if not header:
        return Accept()
    for accept in parse_accept(header):
        if not accept.form:
            return accept
        if accept.form in allowed and accept.group == "meta.k8s.io" and accept.version == "v1":
            return accept
    raise errors.not_acceptable(f"only the following media types are accepted: {_ACCEPTED}")


def wants_pretty(request: Request) -> bool:
    """Whether a person reads the reply: ?pretty, or a browser or curl."""
    asked = first(request, "pretty")
    if asked is not None:
        return asked.lower() not in ("false", "0", "")
    return request.headers.get("user-agent", "").startswith(_PRETTY_AGENTS)


def encode(request: Request, accept: Accept, value: Any) -> tuple[str, bytes]:
    """(content type, body) of a JSON-shaped value."""
    if accept.media == YAML_TYPE:
        return YAML_TYPE, yaml.dump(value).encode()
    if wants_pretty(request):
        return JSON_TYPE, orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return JSON_TYPE, orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def encode_list(
    request: Request, accept: Accept, head: JSON, name: str, items: Iterable[JSON]
) -> tuple[str, Iterator[bytes]]:
    """As ``encode`` of ``{**head, name: items}``, the body in pieces, each made when it is asked for."""
    if accept.media == YAML_TYPE:
        return YAML_TYPE, _yaml_pieces(head, name, items)
    return JSON_TYPE, _json_pieces(head, name, items, orjson.OPT_INDENT_2 if wants_pretty(request) else 0)


def _json_pieces(head: JSON, name: str, items: Iterable[JSON], option: int) -> Iterator[bytes]:
    # An empty list in its place, opened: what is between its brackets follows, moved in as far as it stands.
    whole = orjson.dumps({**head, name: []}, option=option)
    end = whole.rindex(b"]")
    yield whole[:end]
    between, after = b"", b""
    for item in items:
        text = orjson.dumps(item, option=option)
        if option:
            text, after = b"\n    " + text.replace(b"\n", b"\n    "), b"\n  "
        yield between + text
        between = b","
    yield after + whole[end:] + b"\n"


def _yaml_pieces(head: JSON, name: str, items: Iterable[JSON]) -> Iterator[bytes]:
    before = {key: value for key, value in head.items() if key < name}
    rest = {key: value for key, value in head.items() if key > name}
    if before:
        yield yaml.dump(before).encode()
    empty = True
    for item in items:
        if empty:
            yield f"{name}:\n".encode()
            empty = False
        yield yaml.dump([item]).encode()
    if empty:
        yield f"{name}: []\n".encode()
    if rest:
        yield yaml.dump(rest).encode()


def media_type(request: Request) -> str:
    """The body's media type without parameters; JSON when none is named."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() or JSON_TYPE


def decode_body(request: Request, expected_kind: str) -> tuple[JSON, tuple[str, ...]]:
    """(object, duplicate fields) of a JSON, YAML or protobuf body. Raises ApiError 400, 415."""
    media = media_type(request)
    try:
        if media == JSON_TYPE:
            obj, duplicates = decode.load_json(request.body)
        elif media in (YAML_TYPE, "text/yaml"):
            obj, duplicates = yaml.load(request.body), ()
        elif media == PROTOBUF_TYPE:
            obj, duplicates = protobuf.decode(request.body), ()
        else:
            raise errors.unsupported_media_type(
                "the body of the request was in an unknown format - accepted media types "
                f"include: {_ACCEPTED}"
            )
    except (decode.DecodeError, yaml.YamlError, protobuf.ProtobufError) as problem:
        raise unrecognized(expected_kind, str(problem), request.body) from problem
    if not isinstance(obj, dict):
        text = (
            f"couldn't get version/kind; json parse error: json: cannot unmarshal {_go_name(obj)} into Go "
            'value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
            'Kind string "json:\\"kind,omitempty\\"" }'
        )
        raise unrecognized(expected_kind, text, request.body)
    return obj, duplicates


def decode_as(request: Request, api_version: str, kind: str) -> JSON:
    """A body of a kind that is never stored (Binding, Eviction, …), with its types checked.

    Raises ApiError.
    """
    obj, _duplicates = decode_body(request, kind)
    if obj.get("kind", kind) != kind or obj.get("apiVersion", api_version) != api_version:
        raise errors.bad_request(
            f'{obj.get("kind")} in version "{obj.get("apiVersion")}" cannot be handled as a {kind}'
        )
    checked, _warnings = decode.handle_body(
        api_version, kind, {**obj, "apiVersion": api_version, "kind": kind}, "Ignore"
    )
    return checked


def _go_name(value: Any) -> str:
    if isinstance(value, list):
        return "array"
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "bool"
    return "number"


def unrecognized(expected_kind: str, why: str, body: bytes) -> errors.ApiError:
    """A body that is no object at all (transformDecodeError)."""
    return errors.bad_request(
        f"the object provided is unrecognized (must be of type {expected_kind}): {why} ({_summary(body)})"
    )


def _summary(body: bytes, limit: int = 30) -> str:
    if not body:
        return "<empty>"
    if body[:1] == b"{":
        text = body.decode("utf-8", "replace")
        return text[:limit] + " ..." if len(text) > limit else text
    return body[:limit].hex() + (" ..." if len(body) > limit else "")
