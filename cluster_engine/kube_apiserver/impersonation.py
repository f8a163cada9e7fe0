"""Acting as somebody else: ``kubectl --as``, for whom the authorizers let.

Models k8s.io/apiserver/pkg/endpoints/filters/impersonation.go.
"""

from __future__ import annotations

from urllib.parse import unquote

from cluster_engine.apimachinery import errors

from .authorization import Access, AuthorizerChain
from .types import ANONYMOUS, Request, UserInfo

_EXTRA = "impersonate-extra-"
_ACCOUNT = "system:serviceaccount:"
_GROUP = "authentication.k8s.io"


def impersonated(user: UserInfo, request: Request, authorizer: AuthorizerChain) -> UserInfo:
    """Whom the user acts as; the user when nobody is named. Raises ApiError 400, 403."""
    name = request.headers.get("impersonate-user", "")
    listed = request.headers.get("impersonate-group", "")
    uid = request.headers.get("impersonate-uid", "")
    extra = {
        unquote(header[len(_EXTRA) :]): tuple(value.strip() for value in text.split(","))
        for header, text in request.headers.items()
        if header.startswith(_EXTRA)
    }
    if not name:
        if listed or uid or extra:
            raise errors.bad_request(
                f"requested [{{Group  {listed} authentication.k8s.io/v1  }}] without "
                "impersonating a user name"
            )
        return user

    def check(resource: str, who: str, group: str = "", subresource: str = "", namespace: str = "") -> None:
        authorizer.check(Access(user, "impersonate", group, resource, subresource, namespace, who))

    groups = tuple(group.strip() for group in listed.split(",") if group.strip())
    namespace, colon, account = name.removeprefix(_ACCOUNT).partition(":")
    is_account = name.startswith(_ACCOUNT) and bool(namespace and colon and account)
    if is_account:
        check("serviceaccounts", account, namespace=namespace)
    else:
        check("users", name)
    for group in groups:
        check("groups", group)
    for key, values in extra.items():
        for value in values:
            check("userextras", value, _GROUP, key)
    if uid:
        check("uids", uid, _GROUP)
    if is_account and not groups:
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    everybody = "system:unauthenticated" if name == ANONYMOUS.username else "system:authenticated"
    if everybody not in groups:
        groups = (*groups, everybody)
    return UserInfo(name, uid=uid, groups=groups, extra=extra)
