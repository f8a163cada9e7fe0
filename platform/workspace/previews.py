"""The page of a Pod or Service in a frame of an origin of its own: signed short-lived addresses, and what they serve.

Nobody's cookies count here: whoever has the address may read for some minutes. The frame and the answer's own
`sandbox` make its origin opaque, so that a page of a learner's Pod can neither read this site nor act on it.
"""

from __future__ import annotations

import base64
import re
import uuid
from typing import Any
from urllib.parse import quote, urlsplit

from asgiref.sync import sync_to_async
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from runs import hosting
from runs.models import Run

SECONDS = 600
"""How long an address is good."""
SANDBOX = "allow-scripts allow-forms"
MAX_PATH = 2_000
_SIGNER = signing.TimestampSigner(salt="workspace.previews", sep="~")
_ABSOLUTE = re.compile(rb"""(\s(?:href|src|action|poster)\s*=\s*["']?)/(?!/)""", re.IGNORECASE)
_TYPE = re.compile(r"[\x20-\x7e]{1,200}")
_KINDS = ("pods", "services")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SENDING = METHODS[2:]
SENT_BYTES = 1024 * 1024
"""Bytes of a body that is passed on."""
_SCHEME = b'<meta name="color-scheme" content="light dark">'
_STARTS = tuple(
    re.compile(tag, re.IGNORECASE) for tag in (rb"<head[^>]*>", rb"<html[^>]*>", rb"<!doctype[^>]*>")
)
_COLOURED = re.compile(rb"colou?r|background|stylesheet|<style", re.IGNORECASE)
"""A page that says something of its colours is shown as it is; any other follows the site's theme."""


def address_of(run: Run, kind: str, namespace: str, name: str, port: int) -> str:
    """A page's address, good for some minutes."""
    what = [str(run.pk), kind, namespace, name, port, get_language() or run.language]
    return f"/preview/{_SIGNER.sign_object(what)}/"


def _page(status: int, title: str, message: str) -> HttpResponse:
    """Asks nothing of the session or the database."""
    text = render_to_string("workspace/preview.html", {"title": title, "message": message})
    return HttpResponse(text, status=status)


def _why(problem: str, port: int) -> str:
    """In a sentence, why there is no page."""
    return {
        "missing": _("It is not there (any more)."),
        "not-started": _("The Pod has no address yet: wait until it runs."),
        "headless": _("A headless Service has no address of its own; open one of its Pods."),
        "nobody": _(
            "The Service does not serve port %(port)d, or no Pod is ready to answer behind it. Look at its endpoints."
        ),
        "refused": _("Nobody listens on port %(port)d: the connection was refused."),
        "unreachable": _("No way leads there."),
        "timeout": _("No answer came within ten seconds."),
        "reset": _("The connection was cut off."),
        "broken": _("The connection ended in the middle of the answer."),
        "no-http": _("What answers on port %(port)d does not speak HTTP."),
        "too-large": _("The page is larger than 2 MiB, which the preview does not show."),
    }.get(problem, _("The page could not be fetched.")) % {"port": port}


@csrf_exempt  # nobody's cookies count: the signed address is what lets in
@never_cache
async def preview(request: HttpRequest, token: str, path: str = "") -> HttpResponse:
    """One page or file of what the address names."""
    try:
        run_id, kind, namespace, name, port, language = _SIGNER.unsign_object(token, max_age=SECONDS)
    except signing.BadSignature:
        answer = _page(404, _("This preview is over"), _("Open it again from the workspace."))
        return _confined(request, answer, "")
    base = f"/preview/{token}/"
    with override(language):
        if request.method not in METHODS:
            text = _("The preview sends GET, HEAD, POST, PUT, PATCH and DELETE.")
            return _confined(request, _page(405, _("Not sent"), text), base)
        if len(request.body) > SENT_BYTES:
            return _confined(request, _page(413, _("Not sent"), _("The request is too large.")), base)
        query = request.META.get("QUERY_STRING", "")
        target = "/" + quote(path, safe="/:@+,;=~!$&'()*") + (f"?{query}" if query else "")
        wanted = {"kind": kind, "namespace": namespace, "name": name, "port": port}
        sent = {"body": base64.b64encode(request.body).decode("ascii"), "content_type": _type_of(request)}
        wanted |= {"method": request.method, "path": target, **(sent if request.method in SENDING else {})}
        answer = await _fetch(uuid.UUID(run_id), wanted, base)
    return _confined(request, answer, base)


def _themed(body: bytes) -> bytes:
    """A page that follows the theme of the frame around it."""
    place = next((found for start in _STARTS if (found := start.search(body))), None)
    at = place.end() if place is not None else 0
    return body[:at] + _SCHEME + body[at:]


def _type_of(request: HttpRequest) -> str:
    kind = request.META.get("CONTENT_TYPE", "")
    return kind if _TYPE.fullmatch(kind) else ""


async def _fetch(run_id: uuid.UUID, wanted: dict[str, Any], base: str) -> HttpResponse:
    title = _("There is no page")
    if len(wanted["path"]) > MAX_PATH:
        return _page(414, title, _("The address is too long."))
    run = await sync_to_async(Run.objects.filter(pk=run_id).first)()
    try:
        if run is None:
            raise hosting.OverError("gone")
        reply = await hosting.call(run, "POST", "preview", wanted)
    except hosting.OverError:
        return _page(409, title, _("This lab run is over. Start the lab again to go on."))
    except hosting.UnavailableError:
        text = _("The cluster cannot be reached at the moment. Try again in a few seconds.")
        return _page(503, title, text)
    if reply.status != 200 or "problem" in reply.data:
        problem = reply.data.get("problem", "") if reply.status == 200 else ""
        return _page(502, title, _why(problem, wanted["port"]))
    return _answer(reply.data, base)


def _answer(data: dict[str, Any], base: str) -> HttpResponse:
    body = base64.b64decode(data["body"])
    kind = data["headers"].get("content-type", "")
    if not _TYPE.fullmatch(kind):
        kind = "text/plain; charset=utf-8"
    if kind.startswith("text/html"):
        # As the API server's proxy does: links from the root lead into the page again.
        body = _ABSOLUTE.sub(lambda found: found[1] + base.encode("ascii"), body)
        body = body if _COLOURED.search(body) else _themed(body)
    answer = HttpResponse(body, status=data["status"], content_type=kind)
    location = data["headers"].get("location", "")
    if 300 <= data["status"] < 400 and location:
        parts = urlsplit(location)
        place = quote(parts.path, safe="/%:@+,;=~!$&'()*") + (
            f"?{quote(parts.query, safe='=&%+')}" if parts.query else ""
        )
        answer["Location"] = base + place[1:] if place.startswith("/") else place or base
    return answer


def _confined(request: HttpRequest, answer: HttpResponse, base: str) -> HttpResponse:
    """Its own origin, and nothing but its own address."""
    own = request.build_absolute_uri(base) if base else "'none'"
    sources = f"{own} data: 'unsafe-inline'" if base else own
    answer["Content-Security-Policy"] = (
        f"sandbox {SANDBOX}; default-src {sources}; form-action {own}; frame-ancestors 'self'; "
        "base-uri 'none'; object-src 'none'"
    )
    answer["X-Frame-Options"] = "SAMEORIGIN"
    answer["Access-Control-Allow-Origin"] = (
        "*"  # the frame's origin is opaque: its own files are foreign to it
    )
    answer["Referrer-Policy"] = "no-referrer"
    return answer


def wanted_of(data: dict[str, Any]) -> tuple[str, str, str, int] | None:
    """(kind, namespace, name, port) of a request's JSON; None when it names none."""
    kind, namespace, name, port = (data.get(key) for key in ("kind", "namespace", "name", "port"))
    texts = all(isinstance(each, str) and 0 < len(each) <= 253 for each in (namespace, name))
    if kind not in _KINDS or not texts or type(port) is not int or not 0 < port < 65_536:
        return None
    return kind, str(namespace), str(name), port
