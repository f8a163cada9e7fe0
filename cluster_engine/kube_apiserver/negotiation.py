"""Content types: which form a client sends, which it wants back.

Models k8s.io/apiserver/pkg/endpoints/handlers/negotiation and response.go. Replies are JSON or YAML; a client that
takes nothing but protobuf gets a 406.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from cluster_engine.apimachinery import decode, errors, protobuf, yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Kind

from .requests import first
from .types import Request

JSON_TYPE = "application/json"
YAML_TYPE = "application/yaml"
PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf"
META = "meta.k8s.io"
FORMS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
_GIVEN = (JSON_TYPE, YAML_TYPE)
_STREAMED = (JSON_TYPE,)
_TAKEN = f"{JSON_TYPE}, {YAML_TYPE}, {PROTOBUF_TYPE}"
_CLAUSES_LIMIT = 64
_LONG = 512  # characters; longer headers are not worth remembering
_PRETTY_AGENTS = ("curl", "Wget", "Mozilla/5.0")


@dataclass(frozen=True, slots=True)
class Accept:
    """One way to answer: `form` is "", one of FORMS or "APIGroupDiscoveryList"."""

    media: str = JSON_TYPE
    form: str = ""
    group: str = ""
    version: str = ""
    pretty: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}"


@dataclass(frozen=True, slots=True)
class _Clause:
    media: str
    quality: float
    params: dict[str, str]

    def closeness(self, media: str) -> int:
        """How closely it names a media type: 2 by its name, 1 as ``type/*``, 0 as ``*/*``, -1 not at all."""
        if self.media == media:
            return 2
        if self.media == media.partition("/")[0] + "/*":
            return 1
        return 0 if self.media == "*/*" else -1


def parse_accept(header: str) -> tuple[Accept, ...]:
    """The ways to answer that a header allows, best first. What it gives the quality 0 is none of them."""
    return _parsed.__wrapped__(header) if len(header) > _LONG else _parsed(header)


@lru_cache(maxsize=256)
def _parsed(header: str) -> tuple[Accept, ...]:
    clauses = _clauses(header)
    wanted = [media for media in _GIVEN if not _rejected(clauses, media)]
    found = []
    for clause in clauses:
        params = clause.params
        for media in wanted:
            stream = params.get("stream", "")
            if clause.quality <= 0 or clause.closeness(media) < 0 or params.get("sv"):
                continue
            if stream and (stream != "watch" or media not in _STREAMED):
                continue
            form, group, version = (params.get(name, "") for name in ("as", "g", "v"))
            found.append(Accept(media, form, group, version, params.get("pretty") == "1"))
    return tuple(found)


def _clauses(header: str) -> list[_Clause]:
    found = []
    for text in header.split(",")[:_CLAUSES_LIMIT]:
        media, *pieces = (piece.strip() for piece in text.split(";"))
        params = {}
        for name, _, value in (piece.partition("=") for piece in pieces):
            params[name.strip()] = value.strip()
        found.append(_Clause("*/*" if media == "*" else media, _quality(params.pop("q", "1")), params))
    return sorted(found, key=lambda clause: (-clause.quality, clause.media.count("*")))


def _quality(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if value == value else 0.0  # not a number


def _rejected(clauses: list[_Clause], media: str) -> bool:
    """Whether the clause that names a media type most closely gives it the quality 0."""
    closest = max(clauses, key=lambda clause: clause.closeness(media), default=None)
    return closest is not None and closest.closeness(media) >= 0 and closest.quality <= 0


def negotiate(request: Request, kind: Kind | None = None, many: bool | None = False) -> Accept:
    """The best way to answer. Objects of a ``kind`` have other forms, too, many of them others than one (None: either).

    Raises ApiError 406.
    """
    header = request.headers.get("accept", "")
    if not header:
        return Accept()
    for accept in parse_accept(header):
        if not (accept.form or accept.group or accept.version):
            return accept
        if (
            kind is not None
            and accept.form in FORMS
            and accept.api_version in (f"{META}/v1", f"{META}/v1beta1")
        ):
            if many is not None:
                _check_number(accept.form, kind, many)
            return accept
    raise errors.not_acceptable(f"only the following media types are accepted: {', '.join(_GIVEN)}")


def negotiate_stream(request: Request, kind: Kind) -> Accept:
    """The best way to tell of changes one after the other. Raises ApiError 406."""
    accept = negotiate(request, kind, many=None)
    if accept.media not in _STREAMED:
        forms = ", ".join(f"{media};stream=watch" for media in _STREAMED)
        raise errors.not_acceptable(f"only the following media types are accepted: {forms}")
    return accept


def _check_number(form: str, kind: Kind, many: bool) -> None:
    if form == ("PartialObjectMetadata" if many else "PartialObjectMetadataList"):
        what = "a list" if many else "not a list"
        go_type = _go_type(kind) + "List" * many
        raise errors.not_acceptable(f"you requested {form}, but the requested object is {what} (*{go_type})")


def _go_type(kind: Kind) -> str:
    """What upstream calls the kind where it prints its type."""
    if kind.openapi is not None:
        return "unstructured.Unstructured"
    package = "core" if kind.group in ("", "events.k8s.io") else kind.group.partition(".")[0]
    return f"{package}.{kind.kind}"


def wants_pretty(request: Request, accept: Accept) -> bool:
    """Whether a person reads the reply: ?pretty, or a browser or curl."""
    if accept.pretty:
        return True
    asked = first(request, "pretty")
    if asked:
        return asked in ("1", "t", "T", "true", "TRUE", "True")
    return request.headers.get("user-agent", "").startswith(_PRETTY_AGENTS)


def encode(request: Request, accept: Accept, value: Any) -> tuple[str, bytes]:
    """(content type, body) of a JSON-shaped value."""
    if accept.media == YAML_TYPE:
        return YAML_TYPE, yaml.dump(value).encode()
    if wants_pretty(request, accept):
        return JSON_TYPE, orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return JSON_TYPE, orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def encode_list(
    request: Request, accept: Accept, head: JSON, name: str, items: Iterable[JSON]
) -> tuple[str, Iterator[bytes]]:
    """As ``encode`` of ``{**head, name: items}``, the body in pieces, each made when it is asked for."""
    if accept.media == YAML_TYPE:
        return YAML_TYPE, _yaml_pieces(head, name, items)
    return JSON_TYPE, _json_pieces(
        head, name, items, orjson.OPT_INDENT_2 if wants_pretty(request, accept) else 0
    )


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
        elif media == YAML_TYPE:
            obj, duplicates = yaml.load(request.body), ()
        elif media == PROTOBUF_TYPE:
            obj, duplicates = protobuf.decode(request.body), ()
        else:
            raise errors.unsupported_media_type(
                f"the body of the request was in an unknown format - accepted media types include: {_TAKEN}"
            )
    except (decode.DecodeError, yaml.YamlError, protobuf.ProtobufError) as problem:
        raise unrecognized(expected_kind, str(problem), request.body) from problem
    if not isinstance(obj, dict):
        text = (
            f"couldn't get version/kind; json parse error: json: cannot unmarshal {go_name(obj)} into Go "
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


def go_name(value: Any) -> str:
    """What Go's JSON decoder calls a value."""
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
