"""JSON as encoding/json of Go writes it."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine.container_runtime.go_json import marshal

SHOWN: dict[str, tuple[Any, int, str]] = {
    "keys in order": ({"b": 1, "a": {"d": None, "c": True}}, 0, '{"a":{"c":true,"d":null},"b":1}'),
    "what a page takes for markup": ({"a": "<b>&\u2028\u2029ü"}, 0, '{"a":"\\u003cb\\u003e\\u0026\\u2028\\u2029ü"}'),
    "indented": (
        {"a": [1, {"b": "  c"}]}, 4,
        '{\n    "a": [\n        1,\n        {\n            "b": "  c"\n        }\n    ]\n}',
    ),
    "nothing in it": ({"a": {}, "b": []}, 4, '{\n    "a": {},\n    "b": []\n}'),
}  # fmt: skip


@pytest.mark.parametrize(("value", "indent", "text"), SHOWN.values(), ids=SHOWN)
def test_a_value_is_shown(value: Any, indent: int, text: str) -> None:
    assert marshal(value, indent) == text
