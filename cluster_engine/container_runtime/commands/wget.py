"""busybox ``wget``: fetches a page from a Pod or a Service."""

from __future__ import annotations

from cluster_engine.container_runtime.commands._http import fetch, parse
from cluster_engine.shell.context import Command, Context
from cluster_engine.shell.errors import UsageError
from cluster_engine.shell.options import options

_LONG = {
    "quiet": "q", "spider": "s", "output-document": "O", "timeout": "T", "tries": "t", "header": "H",
    "post-data": "p", "no-check-certificate": "k", "server-response": "S", "user-agent": "U",
}  # fmt: skip


async def run(ctx: Context, argv: list[str]) -> int:
    """Fetch one URL to a file or to standard output."""
    opts = options(argv, "qsSck", "OTtHpUP", _LONG)
    if not opts.operands:
        raise UsageError("missing URL", 1)
    url = parse(opts.operands[0])
    if url is None or url.scheme not in ("http", "https"):
        await ctx.error(f"not an http or ftp url: {opts.operands[0][:200]}")
        return 1
    headers = {"user-agent": opts.value("U") or "Wget"}
    for header in opts.given.get("H", ()):
        name, _, value = header.partition(":")
        headers[name.strip().lower()] = value.strip()
    post = opts.value("p")
    answer = await fetch(ctx, url, "POST" if post is not None else "GET", headers, (post or "").encode())
    quiet = opts.flag("q")
    stderr = ctx.stderr
    if answer.address and not quiet:
        await stderr.write(f"Connecting to {url.host}:{url.port} ({answer.address}:{url.port})\n".encode())
    if answer.error == "resolve":
        await ctx.error(f"bad address '{url.host}'")
        return 1
    if answer.error == "timeout":
        await ctx.error("download timed out")
        return 1
    if answer.error == "tls":
        await ctx.error("error getting response: Connection reset by peer")
        return 1
    if answer.error:
        reason = "Connection refused" if "refused" in answer.error else "Host is unreachable"
        await ctx.error(f"can't connect to remote host ({answer.address}): {reason}")
        return 1
    if answer.status >= 400:
        await ctx.error(
            f"server returned error: HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Error')}"
        )
        return 1
    if opts.flag("s"):
        if not quiet:
            await stderr.write(b"remote file exists\n")
        return 0
    name = opts.value("O") or url.path.partition("?")[0].rpartition("/")[2] or "index.html"
    if name == "-":
        await ctx.stdout.write(answer.body)
        if not quiet:
            await stderr.write(b"writing to stdout\nwritten to stdout\n")
        return 0
    if name == "/dev/null":
        return 0
    ctx.vfs.write(ctx.path(name), answer.body)
    if not quiet:
        await stderr.write(f"saving to '{name}'\n'{name}' saved\n".encode())
    return 0


REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Not Allowed",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}

COMMAND = Command("wget", "fetch a URL", run, usage="wget [-q] [-O file] URL")
