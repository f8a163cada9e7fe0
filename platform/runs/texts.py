"""What every database can keep: text without NUL and without lone surrogates."""

from __future__ import annotations

import json
from typing import Any


def is_storable(text: str) -> bool:
    """Whether a text column takes it, PostgreSQL's too."""
    if "\0" in text:
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def storable_json(data: Any) -> Any:
    """The data with what PostgreSQL's JSON refuses replaced: NUL and lone surrogates."""
    text = json.dumps(data, ensure_ascii=False).replace("\\u0000", "\ufffd")
    return json.loads(text.encode("utf-8", "replace").decode("utf-8"))
