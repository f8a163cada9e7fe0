"""Acting as somebody else: ``kubectl --as``, for whom the authorizers let.

Constrained impersonation (KEP-5284) asks for a right on who one acts as, and one on what is done so; the older right to
``impersonate`` is enough for everything. Models k8s.io/apiserver/pkg/endpoints/filters/impersonation.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

from cluster_engine.apimachinery import errors

from .authorization import Access, AuthorizerChain
from .requests import parse
from .types import ANONYMOUS, Request, UserInfo

HEADERS = "impersonate-"
"""How the names of all of its headers begin."""
_EXTRA = f"{HEADERS}extra-"
_ACCOUNT = "system:serviceaccount:"
_NODE = "system:node:"
_GROUP = "authentication.k8s.io"
_USER_VERB = "impersonate:user-info"
_ACCOUNT_VERB = "impersonate:serviceaccount"
_NODE_VERB = "impersonate:arbitrary-node"


def impersonated(user: UserInfo, request: Request, authorizer: AuthorizerChain) -> UserInfo:
    """Whom the user acts as; the user when nobody is named. Raises ApiError 400, 403."""
    headers = {header: text for header, text in request.headers.items() if header.startswith(HEADERS)}
    if not headers:
        return user
    name = headers.get(f"{HEADERS}user", "")
    listed = headers.get(f"{HEADERS}group", "")
    uid = headers.get(f"{HEADERS}uid", "")
    extra = {
        unquote(header[len(_EXTRA) :]): tuple(value.strip() for value in text.split(","))
        for header, text in headers.items()
        if header.startswith(_EXTRA)
    }
    if not name:
        if listed or uid or extra:
            raise errors.bad_request(
                f"requested [{{Group  {listed} authentication.k8s.io/v1  }}] without "
                "impersonating a user name"
            )
        return user

    groups = tuple(group.strip() for group in listed.split(",") if group.strip())
    namespace, colon, account = name.removeprefix(_ACCOUNT).partition(":")
    is_account = name.startswith(_ACCOUNT) and bool(namespace and colon and account)

    def check(verb: str, group: str) -> None:
        """All of it, by one verb; accounts, users and groups stand in ``group``."""

        def may(resource: str, who: str, of: str = group, subresource: str = "", within: str = "") -> None:
            authorizer.check(Access(user, verb, of, resource, subresource, within, who))

        if is_account:
            may("serviceaccounts", account, within=namespace)
        elif verb == _NODE_VERB:
            may("nodes", name.removeprefix(_NODE))
        else:
            may("users", name)
        for each in groups:
            may("groups", each)
        for key, values in extra.items():
            for value in values:
                may("userextras", value, _GROUP, key)
        if uid:
            may("uids", uid, _GROUP)

    mode = _ACCOUNT_VERB if is_account else _NODE_VERB if name.startswith(_NODE) else _USER_VERB
    try:
        check(mode, _GROUP)
        what = Access.of(user, parse(request), request)
        authorizer.check(replace(what, verb=f"impersonate-on:{mode.partition(':')[2]}:{what.verb}"))
    except errors.ApiError as refused:
        # The older right, for any request; who has neither is told of the newer one.
        try:
            check("impersonate", "")
        except errors.ApiError:
            raise refused from None
    if is_account and not groups:
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    everybody = "system:unauthenticated" if name == ANONYMOUS.username else "system:authenticated"
    if everybody not in groups:
        groups = (*groups, everybody)
    return UserInfo(name, uid=uid, groups=groups, extra=extra)
