"""Who asks: bearer tokens, service account tokens. (Client certificates: the edge. Acting as somebody else:
`impersonation.py`.)

Service account tokens are JWTs signed by a key that follows from the cluster's seed (`signing_keys.py`), so that a
replayed cluster issues and accepts the same tokens. Those that the installation has issued (to kube-proxy, say) are
accepted too: upstream takes several keys likewise.

Models k8s.io/apiserver/pkg/authentication and pkg/serviceaccount.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import orjson

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.etcd import Store
from cluster_engine.sim import INSTALLATION_SEED, SECOND, Clock

from . import signing_keys
from .signing_keys import b64
from .types import ANONYMOUS, Request, UserInfo

ISSUER = "https://kubernetes.default.svc.cluster.local"
TOKEN_LIMIT = 16 * 1024
_MOUNTED_SECONDS = 365 * 86_400
"""How long a mounted token is good (serviceaccount.ExpirationExtensionSeconds)."""
_MOUNTED_WARNS = 3_607
"""After so many seconds upstream counts its use as one that should have been renewed (WarnOnlyBoundTokenExpiration)."""


class Authenticator:
    """Finds the user behind a request."""

    def __init__(
        self, clock: Clock, store: Store, seed: int, tokens: Mapping[str, UserInfo] | None = None
    ) -> None:
        self._clock = clock
        self._store = store
        self._seed = seed
        self._accepted = tuple(dict.fromkeys((seed, INSTALLATION_SEED)))
        self.tokens: dict[str, UserInfo] = dict(tokens or {})

    def identify(self, request: Request) -> UserInfo:
        """The user, whoever is impersonated. Raises ApiError 401 for a bad token."""
        return request.user if request.user is not None else self._from_header(request)

    def _from_header(self, request: Request) -> UserInfo:
        header = request.headers.get("authorization", "")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return ANONYMOUS
        user = self.token_user(token.strip())
        if user is None:
            raise errors.unauthorized()
        return user

    def token_user(self, token: str, audiences: tuple[str, ...] = ()) -> UserInfo | None:
        """The user that a bearer token stands for, or None."""
        for known, user in self.tokens.items():
            if hmac.compare_digest(known.encode(), token.encode()):
                return user
        claims = self._verified(token)
        if claims is None:
            return None
        wanted = audiences or (ISSUER,)
        if not set(wanted) & set(claims.get("aud") or ()):
            return None
        return self._service_account(claims)

    # ---- service accounts --------------------------------------------------------------------------------

    def issue(
        self, account: JSON, audiences: list[str], seconds: int, token_id: str, bound: JSON | None
    ) -> JSON:
        """A TokenRequest status for a service account; `bound` is the object the token ends with."""
        now = self._clock.now // SECOND
        meta = account["metadata"]
        private: JSON = {
            "namespace": meta["namespace"],
            "serviceaccount": {"name": meta["name"], "uid": meta["uid"]},
        }
        if bound is not None:
            private[bound["kind"].lower()] = {"name": bound["name"], "uid": bound["uid"]}
            if bound.get("node"):
                found = self._store.get("nodes", bound["node"])
                private["node"] = _named(bound["node"], found["metadata"]["uid"] if found else "")
        token = self._signed(audiences, now, seconds, token_id, private)
        return {"token": token, "expires_at": (now + seconds) * SECOND}

    def mounted(self, args: list[Any]) -> str:
        """The token that a kubelet mounts: [second of its issue, audience, namespace, account, its uid, Pod, its uid].

        After them, in clusters that were begun since, [node, its uid, seconds]. It follows from that alone, so that
        nobody has to keep it. One of the API that asks for 3,607 seconds lasts a year (ServiceAccountTokenExtended).
        """
        now, audience, namespace, account, account_uid, pod, pod_uid, *more = args
        node, node_uid, seconds = more or ("", "", _MOUNTED_WARNS)
        private: JSON = {
            "namespace": namespace,
            **({"node": _named(node, node_uid)} if node else {}),
            "pod": {"name": pod, "uid": pod_uid},
            "serviceaccount": {"name": account, "uid": account_uid},
        }
        if seconds == _MOUNTED_WARNS and (not audience or not more):
            private["warnafter"], seconds = now + _MOUNTED_WARNS, _MOUNTED_SECONDS
        digest = hashlib.blake2b(f"{args}".encode(), digest_size=16).hexdigest()
        token_id = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"
        return self._signed([audience or ISSUER], now, seconds, token_id, private)

    def _signed(self, audiences: list[str], now: int, seconds: int, token_id: str, private: JSON) -> str:
        account = private["serviceaccount"]["name"]
        claims = {
            "aud": audiences,
            "exp": now + seconds,
            "iat": now,
            "iss": ISSUER,
            "jti": token_id,
            "kubernetes.io": private,
            "nbf": now,
            "sub": f"system:serviceaccount:{private['namespace']}:{account}",
        }
        head = orjson.dumps({"alg": signing_keys.ALGORITHM, "kid": signing_keys.key_id(self._seed)})
        body = f"{b64(head)}.{b64(orjson.dumps(claims))}"
        return f"{body}.{b64(signing_keys.sign(self._seed, body.encode()))}"

    def openid(self, path: str) -> JSON:
        """The document of OIDC discovery at one of the paths of ``signing_keys``."""
        if path == signing_keys.KEYS_PATH:
            return signing_keys.key_set(self._accepted)
        served = self._store.get("endpoints", "default/kubernetes")
        ips = [each["ip"] for subset in (served or {}).get("subsets") or () for each in subset["addresses"]]
        return signing_keys.configuration(ISSUER, f"{ips[0]}:6443" if ips else ISSUER.partition("://")[2])

    def _verified(self, token: str) -> dict[str, Any] | None:
        if len(token) > TOKEN_LIMIT or token.count(".") != 2:
            return None
        signed, _, signature = token.rpartition(".")
        try:
            given = _unb64(signature)
            claims = orjson.loads(_unb64(signed.partition(".")[2]))
        except ValueError:
            return None
        if not any(signing_keys.verifies(seed, signed.encode(), given) for seed in self._accepted):
            return None
        if not isinstance(claims, dict) or claims.get("exp", 0) * SECOND <= self._clock.now:
            return None
        return claims

    def _service_account(self, claims: dict[str, Any]) -> UserInfo | None:
        private = claims.get("kubernetes.io") or {}
        namespace = private.get("namespace", "")
        account = private.get("serviceaccount") or {}
        found = self._store.get("serviceaccounts", f"{namespace}/{account.get('name')}")
        if found is None or found["metadata"]["uid"] != account.get("uid"):
            return None
        extra: dict[str, tuple[str, ...]] = {
            "authentication.kubernetes.io/credential-id": (f"JTI={claims['jti']}",)
        }
        pod = private.get("pod")
        if pod is not None:
            live = self._store.get("pods", f"{namespace}/{pod.get('name')}")
            if live is None or live["metadata"]["uid"] != pod.get("uid"):
                return None
            extra["authentication.kubernetes.io/pod-name"] = (pod["name"],)
            extra["authentication.kubernetes.io/pod-uid"] = (pod["uid"],)
        for part, value in (private.get("node") or {}).items():
            extra[f"authentication.kubernetes.io/node-{part}"] = (value,)
        return UserInfo(
            f"system:serviceaccount:{namespace}:{account['name']}",
            uid=account["uid"],
            groups=("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"),
            extra=extra,
        )


def _named(name: str, uid: str) -> JSON:
    """A node as a token names it; the uid of one that is gone is unknown."""
    return {"name": name, **({"uid": uid} if uid else {})}


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
