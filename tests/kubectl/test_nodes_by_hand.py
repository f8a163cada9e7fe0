"""Nodes that kubelets do not register themselves: who makes one with the real kubectl sees it come."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kubectl_driver import serving
from served import USUAL

pytestmark = pytest.mark.kubectl


def test_a_node_by_hand_is_waited_for(tmp_path: Path) -> None:
    kubelets = tmp_path / "kubelets.yaml"
    kubelets.write_text("worker-1: {register-node: false}\n")
    with serving(tmp_path, *USUAL, "max", "--kubelets", str(kubelets)) as kubectl:
        assert "worker-1" not in kubectl("get", "nodes")
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-1"}}
        kubectl("create", "-f", "-", stdin=json.dumps(node))
        told = kubectl("wait", "--for=condition=Ready", "node/worker-1", "--timeout=50s")
        assert told == "node/worker-1 condition met\n"
        assert "<invalid>" not in kubectl("get", "nodes")
