"""Bodies that kubectl 1.37 really sent, and bodies that nobody should send."""

from __future__ import annotations

import base64
import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_engine.apimachinery.protobuf import MAGIC, ProtobufError, decode, is_protobuf

DEPLOYMENT = (
    "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50Er0BCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBID"
    "d2ViEosBCAASDAoKCgNhcHASA3dlYhpx"
    "ChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViElESMwoFbmdpbngSCm5naW54OjEuMjUqADIKCgAQABhQIgAqAEIAagByAIABAIgBAJABAKIB"
    "ABoAMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAiAgoAKAA4ABoMCAAQABgAIAAoADgAGgAiAA=="
)
PDB = (
    "azhzAAogCglwb2xpY3kvdjESE1BvZERpc3J1cHRpb25CdWRnZXQSNgoRCgFwEgAaACIAKgAyADgAQgAS"
    "FQoJCAEQABoDNTAlEggKBgoBYRIBYhoK"
    "CAAYACAAKAAwABoAIgA="
)
SECRET = "azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBcxIAGgAiACoAMgA4AEIAEgYKAWESAWIaABoAIgA="
CONFIG_MAP = "azhzAAoPCgJ2MRIJQ29uZmlnTWFwEiIKEQoBYxIAGgAiACoAMgA4AEIAEgYKAWESAWISBQoBYxIAGgAiAA=="
QUOTA = (
    "azhzAAoTCgJ2MRINUmVzb3VyY2VRdW90YRI0ChEKAXESABoAIgAqADIAOABCABIdCgoKA2NwdRIDCgEx"
    "Cg8KBm1lbW9yeRIFCgMxR2kaABoAIgA="
)


@pytest.mark.parametrize(
    ("body", "obj"),
    [
        pytest.param(
            DEPLOYMENT,
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "web", "labels": {"app": "web"}},
                "spec": {
                    "replicas": 0,
                    "selector": {"matchLabels": {"app": "web"}},
                    "strategy": {},
                    "template": {
                        "metadata": {"labels": {"app": "web"}},
                        "spec": {
                            "containers": [
                                {
                                    "name": "nginx",
                                    "image": "nginx:1.25",
                                    "ports": [{"containerPort": 80}],
                                    "resources": {},
                                }
                            ]
                        },
                    },
                },
                "status": {},
            },
            id="create deployment --replicas=0 --port=80",
        ),
        pytest.param(
            PDB,
            {
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": {"name": "p"},
                "spec": {"minAvailable": "50%", "selector": {"matchLabels": {"a": "b"}}},
                "status": {
                    "currentHealthy": 0,
                    "desiredHealthy": 0,
                    "disruptionsAllowed": 0,
                    "expectedPods": 0,
                },
            },
            id="create pdb --min-available=50%",
        ),
        pytest.param(
            SECRET,
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "Yg=="}},
            id="create secret",
        ),
        pytest.param(
            CONFIG_MAP,
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "b", "c": ""}},
            id="create configmap with an empty value",
        ),
        pytest.param(
            QUOTA,
            {
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": {"name": "q"},
                "spec": {"hard": {"cpu": "1", "memory": "1Gi"}},
                "status": {},
            },
            id="create quota",
        ),
    ],
)
def test_kubectl_bodies(body: str, obj: dict[str, Any]) -> None:
    assert decode(base64.b64decode(body)) == obj


def envelope(raw: bytes, api_version: bytes = b"v1", kind: bytes = b"Pod") -> bytes:
    meta = b"\x0a" + bytes([len(api_version)]) + api_version + b"\x12" + bytes([len(kind)]) + kind
    return MAGIC + b"\x0a" + bytes([len(meta)]) + meta + b"\x12" + bytes([len(raw)]) + raw


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(
            b"{}",
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
            id="JSON",
        ),
        pytest.param(envelope(b"\x0a\x05a"), "unexpected EOF", id="cut off"),
        pytest.param(envelope(b"\x0b"), "proto: illegal wireType 3", id="group"),
        pytest.param(envelope(b"\x80" * 11), "proto: integer overflow", id="endless number"),
        pytest.param(
            envelope(b"", kind=b"Foo"), 'no kind "Foo" is registered for version "v1" in scheme', id="kind"
        ),
        pytest.param(
            envelope(b"\x0a\x04\x0a\x02\xff\xfe"), "proto: a string field contains invalid UTF-8", id="text"
        ),
    ],
)
def test_refused_bodies(body: bytes, said: str) -> None:
    with pytest.raises(ProtobufError) as caught:
        decode(body)
    assert str(caught.value) == said


def test_many_fields_are_refused() -> None:
    raw = b"\x0a\x00" * 250_000
    size = len(raw)
    varint = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])
    with pytest.raises(ProtobufError, match="more than 60000 fields"):
        decode(MAGIC + b"\x0a\x09\x0a\x02v1\x12\x03Pod\x12" + varint + raw)


@given(st.binary(max_size=120))
def test_noise_is_refused_or_decoded(noise: bytes) -> None:
    with contextlib.suppress(ProtobufError):
        assert isinstance(decode(envelope(noise)), dict)


def test_content_types() -> None:
    assert is_protobuf("application/vnd.kubernetes.protobuf;type=x")
    assert not is_protobuf("application/json")
    assert not is_protobuf(None)
