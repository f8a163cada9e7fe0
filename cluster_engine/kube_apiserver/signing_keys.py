"""The keys of service account tokens, and the documents by which others verify these tokens (OIDC discovery).

A key is of the curve P-256 and follows from a seed; its signatures (ES256) are deterministic (RFC 6979). kubeadm makes
such keys where its `encryptionAlgorithm` is ECDSA-P256.

Models pkg/serviceaccount (jwt.go, openidmetadata.go) and pkg/routes/openidmetadata.go.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.backends.openssl import backend as _backend  # noqa: F401  (loaded now, not by the first key)
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.certificates import SERVICE_ACCOUNT_KEY, seeded_key

ALGORITHM = "ES256"
CONFIGURATION_PATH, KEYS_PATH = "/.well-known/openid-configuration", "/openid/v1/jwks"
CONTENT_TYPES = {CONFIGURATION_PATH: "application/json", KEYS_PATH: "application/jwk-set+json"}
REMEMBERED = 1_024
"""Signatures that are remembered: of a token that comes again nothing is computed."""
_HALF = 32
"""Bytes of each of the two numbers of a signature, and of a point."""


@lru_cache(maxsize=REMEMBERED)
def sign(seed: int, body: bytes) -> bytes:
    """The signature as JWS has it: two numbers of 32 bytes."""
    made = seeded_key(SERVICE_ACCOUNT_KEY, seed).sign(
        body, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    )
    return b"".join(number.to_bytes(_HALF) for number in utils.decode_dss_signature(made))


@lru_cache(maxsize=REMEMBERED)
def verifies(seed: int, body: bytes, signature: bytes) -> bool:
    """Whether the key of that seed has signed it."""
    if len(signature) != 2 * _HALF:
        return False
    numbers = (int.from_bytes(half) for half in (signature[:_HALF], signature[_HALF:]))
    public = seeded_key(SERVICE_ACCOUNT_KEY, seed).public_key()
    try:
        public.verify(utils.encode_dss_signature(*numbers), body, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=REMEMBERED)
def key_id(seed: int) -> str:
    """keyIDFromPublicKey: the digest of the public key."""
    public = seeded_key(SERVICE_ACCOUNT_KEY, seed).public_key()
    return b64(hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest())


def key_set(seeds: Sequence[int]) -> JSON:
    """A JSON Web Key Set of the public keys of these seeds."""
    keys = []
    for seed in seeds:
        point = seeded_key(SERVICE_ACCOUNT_KEY, seed).public_key().public_numbers()
        x, y = (b64(number.to_bytes(_HALF)) for number in (point.x, point.y))
        of_key = {"use": "sig", "kty": "EC", "kid": key_id(seed), "crv": "P-256", "alg": ALGORITHM}
        keys.append({**of_key, "x": x, "y": y})
    return {"keys": keys}


def configuration(issuer: str, address: str) -> JSON:
    """The provider's metadata; ``address`` (host and port) is where its keys are served."""
    return {
        "issuer": issuer,
        "jwks_uri": f"https://{address}{KEYS_PATH}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
    }


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
