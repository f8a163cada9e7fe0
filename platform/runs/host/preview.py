"""The page of a Pod or of a Service, fetched through the run as the API server's proxy fetches it.

Models k8s.io/apimachinery/pkg/util/proxy (UpgradeAwareHandler) without upgrades.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.cluster import Cluster
from cluster_engine.linux.programs import http
from cluster_engine.network import API_SERVER
from cluster_engine.serving import Link, LinkError
from runs.host.cookies import Jars, Page
from runs.host.errors import HostError
from runs.host.outside import Run

SECONDS = 10.0
"""How long a page may take, of the wall's time."""
PAGE_BYTES = 2 * 1024 * 1024
"""Bytes of one answer's body."""
SENT_BYTES = 1024 * 1024
"""Bytes of one request's body."""
KEPT_HEADERS = ("content-type", "location")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
KINDS = ("pods", "services")


class NoPageError(Exception):
    """There is no page; str() is the reason's name, which the page of the web tier words."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for."""

    kind: str
    namespace: str
    name: str
    port: int
    method: str
    path: str
    body: bytes = b""
    content_type: str = ""

    @property
    def page(self) -> Page:
        """Whose cookies count."""
        return self.kind, self.namespace, self.name

    @classmethod
    def of(cls, data: dict[str, Any]) -> Wanted:
        """Raises HostError."""
        try:
            asked = {name: data[name] for name in ("kind", "namespace", "name", "port", "method", "path")}
            body = base64.b64decode(data.get("body", ""), validate=True)
            wanted = cls(**asked, body=body, content_type=data.get("content_type", ""))
        except KeyError as error:
            raise HostError(400, _("The field %(name)s is missing.") % {"name": error}) from None
        except ValueError:
            raise HostError(400, _("The field %(name)s is missing.") % {"name": "body"}) from None
        if wanted.kind not in KINDS or wanted.method not in METHODS:
            raise HostError(
                400, _("Pods and Services have pages, and these are asked with GET, POST and the like.")
            )
        if len(body) > SENT_BYTES:
            raise HostError(413, _("The request is too large."))
        return wanted


async def fetch(run: Run, wanted: Wanted, jars: Jars) -> dict[str, Any]:
    """``{"status", "headers", "body" (base64)}``, or ``{"problem"}``. Raises what the journal raises."""
    try:
        ip = _address(run.cluster, wanted)
        link = Link(run.app, API_SERVER)
        try:
            async with asyncio.timeout(SECONDS):
                await link.connect(ip, wanted.port)
                return await _ask(link, ip, wanted, jars)
        finally:
            await link.close()
    except NoPageError as error:
        return {"problem": str(error)}
    except TimeoutError:
        return {"problem": "timeout"}
    except LinkError as error:
        return {"problem": str(error)}


def _address(cluster: Cluster, wanted: Wanted) -> str:
    try:
        found = cluster.get(wanted.kind, wanted.name, wanted.namespace)
    except ApiError:
        found = None
    if found is None:
        raise NoPageError("missing")
    if wanted.kind == "pods":
        ip = (found.get("status") or {}).get("podIP")
        if not ip:
            raise NoPageError("not-started")
        return str(ip)
    ip = found["spec"].get("clusterIP") or "None"
    if ip == "None":
        raise NoPageError("headless")
    if cluster.network.way("", ip, wanted.port).ip == ip:
        raise NoPageError("nobody")
    return str(ip)


async def _ask(link: Link, ip: str, wanted: Wanted, jars: Jars) -> dict[str, Any]:
    url = http.Url("http", ip, wanted.port, wanted.path)
    headers = [
        ("Host", url.authority), ("User-Agent", "drydock-preview"), ("Accept", "*/*"), ("Connection", "close"),
    ]  # fmt: skip
    if cookies := jars.header(wanted.page, wanted.path):
        headers.append(("Cookie", cookies))
    if wanted.content_type:
        headers.append(("Content-Type", wanted.content_type))
    if wanted.body or wanted.method not in ("GET", "HEAD"):
        headers.append(("Content-Length", str(len(wanted.body))))
    await link.send(
        http.request(url, wanted.method, headers, wanted.body.decode("latin-1")).encode("latin-1")
    )
    answer, body = http.fresh(), ""
    while not answer["done"]:
        data = await link.read()
        if not data and not http.ended(answer):
            raise NoPageError("broken" if answer["status"] else "no-http")
        piece = http.take(answer, data.decode("latin-1"), no_body=wanted.method == "HEAD")
        if piece is None:
            raise NoPageError("no-http")
        body += piece
        if len(body) > PAGE_BYTES:
            raise NoPageError("too-large")
    for name, value in answer["headers"]:
        if name.lower() == "set-cookie":
            jars.take(wanted.page, wanted.path, value)
    kept = {name: value for name in KEPT_HEADERS if (value := http.header(answer, name))}
    return {
        "status": answer["status"],
        "headers": kept,
        "body": base64.b64encode(body.encode("latin-1")).decode("ascii"),
    }
