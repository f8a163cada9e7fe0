"""Keys in JSON pointers: ``jsonpatch.escapeKey('a/b')``.

Models k8s.io/apiserver/pkg/cel/library/jsonpatch.go.
"""

from __future__ import annotations

from cluster_engine.cel.library.function import Function, Overload, of_first


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


FUNCTIONS = (
    Function(
        "jsonpatch.escapeKey",
        Overload("string_jsonpatch_escapeKey_string", "(string) -> string", _escape, of_first),
    ),
)
"""One entry for each function."""
