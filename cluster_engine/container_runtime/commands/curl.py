"""``curl``: fetches a page from a Pod or a Service."""

from __future__ import annotations

from cluster_engine.container_runtime.commands._http import fetch, parse
from cluster_engine.container_runtime.commands.wget import REASONS
from cluster_engine.shell.context import Command, Context
from cluster_engine.shell.options import options

_LONG = {
    "silent": "s",
    "show-error": "S",
    "head": "I",
    "include": "i",
    "output": "o",
    "request": "X",
    "header": "H",
    "data": "d",
    "write-out": "w",
    "max-time": "m",
    "connect-timeout": "c",
    "fail": "f",
    "location": "L",
    "insecure": "k",
    "user-agent": "A",
    "verbose": "v",
    "retry": "r",
}


async def run(ctx: Context, argv: list[str]) -> int:
    """Fetch one URL."""
    opts = options(argv, "sSIifLkv", "oXHdwmcAr", _LONG)
    if not opts.operands:
        await ctx.stderr.write(b"curl: (2) no URL specified\n")
        return 2
    silent = opts.flag("s") and not opts.flag("S")
    text = opts.operands[0]
    url = parse(text)

    async def fail(code: int, message: str) -> int:
        if not silent:
            await ctx.stderr.write(f"curl: ({code}) {message}\n".encode())
        return code

    if url is None or not url.host:
        return await fail(3, "URL using bad/illegal format or missing URL")
    if url.scheme not in ("http", "https"):
        return await fail(1, f'Protocol "{url.scheme}" not supported')
    headers = {"user-agent": opts.value("A") or "curl/8.16.0", "accept": "*/*"}
    for header in opts.given.get("H", ()):
        name, _, value = header.partition(":")
        headers[name.strip().lower()] = value.strip()
    data = opts.value("d")
    method = opts.value("X") or ("HEAD" if opts.flag("I") else "POST" if data is not None else "GET")
    answer = await fetch(ctx, url, method, headers, (data or "").encode())
    if answer.error == "resolve":
        return await fail(6, f"Could not resolve host: {url.host}")
    if answer.error == "timeout":
        seconds = opts.value("m") or opts.value("c") or "300"
        return await fail(28, f"Connection timed out after {seconds}000 milliseconds")
    if answer.error == "tls":
        return await fail(35, "TLS connect error: error:00000000:lib(0)::reason(0)")
    if answer.error:
        return await fail(
            7, f"Failed to connect to {url.host} port {url.port} after 1 ms: Could not connect to server"
        )
    if opts.flag("f") and answer.status >= 400:
        return await fail(22, f"The requested URL returned error: {answer.status}")
    if opts.flag("i", "I"):
        lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'OK')}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        lines += [f"content-length: {len(answer.body)}", "", ""]
        await ctx.out("\r\n".join(lines))
    target = opts.value("o")
    if not opts.flag("I"):
        if target in (None, "-"):
            await ctx.stdout.write(answer.body)
        elif target != "/dev/null" and target is not None:
            ctx.vfs.write(ctx.path(target), answer.body)
    out = opts.value("w")
    if out:
        out = out.replace("%{http_code}", f"{answer.status:03d}").replace(
            "%{response_code}", f"{answer.status:03d}"
        )
        await ctx.out(out.replace("\\n", "\n"))
    return 0


COMMAND = Command("curl", "fetch a URL", run, usage="curl [options] URL")
