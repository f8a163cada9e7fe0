"""What kubectl says where it cannot know better, as it says it of a real cluster."""

from __future__ import annotations

import pytest

from cluster_engine.terminal.meanings import plainly

WHY = "dial tcp 127.0.0.1:6443: connect: connection refused"
ODD = "first path segment in URL cannot contain colon"
AT = "http://127.0.0.1:40123/runs/6f/t/geheim"
SAID = {
    "apply": (
        f'failed to download openapi: Get "{AT}/openapi/v2?timeout=32s": failed to parse Location header "{WHY}": '
        f'parse "{WHY}": {ODD}; if you choose to ignore these errors\n',
        f'failed to download openapi: Get "https://127.0.0.1:6443/openapi/v2?timeout=32s": {WHY}; '
        "if you choose to ignore these errors\n",
    ),
    "a line of its log": (
        f'err="Get \\"{AT}/api?timeout=32s\\": failed to parse Location header \\"{WHY}\\": '
        f'parse \\"{WHY}\\": {ODD}"\n',
        f'err="Get \\"https://127.0.0.1:6443/api?timeout=32s\\": {WHY}"\n',
    ),
    "without an address": (f'failed to parse Location header "{WHY}": parse "{WHY}": {ODD}', WHY),
    "another header": ('failed to parse Location header "x": y', 'failed to parse Location header "x": y'),
    "anything else": ("pod/web created\n", "pod/web created\n"),
}


@pytest.mark.parametrize(("said", "shown"), SAID.values(), ids=SAID)
def test_a_refused_connection_is_told_as_of_a_real_server(said: str, shown: str) -> None:
    assert plainly(said.encode()).decode() == shown
