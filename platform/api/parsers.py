"""Request bodies, read up to a limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from grading.services import MAX_MANIFESTS, ManifestsError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, FormParser, JSONParser, MultiPartParser


class BoundedJSONParser(JSONParser):
    """JSON; too many levels are the sender's error, not ours."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """As JSONParser."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("JSON parse error - too many levels") from None


class RawManifestsParser(BaseParser):
    """The whole body is the manifests: `curl --data-binary @pod.yaml -H 'Content-Type: application/yaml'`."""

    media_type = "application/yaml"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, str]:
        """As if it had been sent in the field `manifests`."""
        body = stream.read(MAX_MANIFESTS + 1)
        if len(body) > MAX_MANIFESTS:
            raise ManifestsError(f"manifests: at most {MAX_MANIFESTS} bytes are taken")
        try:
            return {"manifests": body.decode("utf-8")}
        except UnicodeDecodeError:
            raise ParseError("the body is not UTF-8 text") from None


class XYamlParser(RawManifestsParser):
    """An older name of the type."""

    media_type = "application/x-yaml"


class TextYamlParser(RawManifestsParser):
    """Another."""

    media_type = "text/yaml"


class PlainTextParser(RawManifestsParser):
    """And what some tools send."""

    media_type = "text/plain"


SUBMISSION_PARSERS = [
    BoundedJSONParser,
    RawManifestsParser,
    XYamlParser,
    TextYamlParser,
    PlainTextParser,
    MultiPartParser,
    FormParser,
]
