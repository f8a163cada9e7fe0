"""nginx's configuration: read, checked as nginx checks it, and reduced to what the simulated server does with it.

Read are servers with their ports and names, locations, ``root``, ``alias``, ``index``, ``return``, ``proxy_pass`` and
``upstream``, ``try_files`` and ``add_header``; other directives that nginx has are taken and change nothing.

Models src/core/ngx_conf_file.c and src/http/ngx_http_core_module.c; the texts are theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from cluster_engine.network import is_address

JSON = dict[str, Any]
DIRECTIVES = 2_000
"""Directives of all files together."""
DEPTH = 16
"""Files that include one another, and blocks in blocks."""
BYTES = 256 * 1024
"""Of one file."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_MAIN = _words("""
    user worker_processes error_log pid daemon master_process env load_module worker_rlimit_nofile worker_cpu_affinity
    worker_priority pcre_jit lock_file thread_pool timer_resolution worker_shutdown_timeout debug_points
""")
_EVENTS = _words("worker_connections multi_accept use accept_mutex accept_mutex_delay debug_connection")
_UPSTREAM = _words(
    "server ip_hash least_conn hash random keepalive keepalive_timeout keepalive_requests zone"
)
_HTTP = _words("""
    root index autoindex error_page try_files return rewrite add_header default_type sendfile tcp_nopush tcp_nodelay
    keepalive_timeout keepalive_requests access_log error_log log_format gzip gzip_types gzip_min_length gzip_comp_level
    gzip_vary gzip_proxied gzip_static client_max_body_size client_body_buffer_size client_body_timeout
    client_header_timeout client_header_buffer_size large_client_header_buffers send_timeout server_tokens
    server_names_hash_bucket_size server_names_hash_max_size types_hash_max_size types_hash_bucket_size charset expires
    etag resolver resolver_timeout proxy_set_header proxy_http_version proxy_connect_timeout proxy_read_timeout
    proxy_send_timeout proxy_buffering proxy_buffers proxy_buffer_size proxy_busy_buffers_size proxy_redirect
    proxy_hide_header proxy_pass_header proxy_cache proxy_cache_path proxy_cache_valid proxy_cache_key
    proxy_cache_bypass proxy_no_cache proxy_next_upstream proxy_intercept_errors proxy_ssl_verify proxy_cookie_path
    proxy_request_buffering proxy_temp_path client_body_temp_path fastcgi_temp_path uwsgi_temp_path scgi_temp_path
    auth_basic auth_basic_user_file allow deny satisfy limit_req limit_req_zone limit_conn limit_conn_zone limit_rate
    set set_real_ip_from real_ip_header map_hash_bucket_size server_name_in_redirect port_in_redirect absolute_redirect
    open_file_cache ssl_certificate ssl_certificate_key ssl_protocols ssl_ciphers ssl_prefer_server_ciphers
    ssl_session_cache ssl_session_timeout ssl_session_tickets ssl_dhparam ssl_stapling ssl_trusted_certificate
    ssl_client_certificate ssl_verify_client ssl_ecdh_curve http2 underscores_in_headers ignore_invalid_headers
    merge_slashes reset_timedout_connection output_buffers aio directio if_modified_since recursive_error_pages
    sub_filter sub_filter_once fastcgi_pass fastcgi_param fastcgi_index fastcgi_split_path_info fastcgi_buffers
    fastcgi_buffer_size fastcgi_read_timeout uwsgi_pass ssi disable_symlinks variables_hash_max_size log_not_found
    chunked_transfer_encoding lingering_close msie_padding post_action mirror
""")
_SERVER = ("listen", "server_name")
_LOCATION = _words("alias proxy_pass internal stub_status break empty_gif")
_BLOCKS = {
    "events": ("main",), "http": ("main",), "stream": ("main",), "server": ("http",), "upstream": ("http",),
    "location": ("server", "location"), "if": ("server", "location"), "types": ("http", "server", "location"),
    "map": ("http",), "geo": ("http",), "limit_except": ("location",), "split_clients": ("http",),
}  # fmt: skip
_FREE = ("types", "map", "geo", "split_clients", "stream")
"""Blocks of which the inside is not looked at."""
_WHERE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_HTTP, ("http", "server", "location", "if", "limit_except")),
    **dict.fromkeys(_SERVER, ("server",)),
    **dict.fromkeys(_LOCATION, ("location", "if", "limit_except")),
    **dict.fromkeys(_MAIN, ("main",)),
    **dict.fromkeys(_EVENTS, ("events",)),
    **_BLOCKS,
}
_WHERE["error_log"] = ("main", "http", "server", "location")
for _name in _UPSTREAM:
    _WHERE[_name] = (*_WHERE.get(_name, ()), "upstream")
_ONE = _words("""
    root alias proxy_pass default_type worker_processes worker_connections pid client_max_body_size sendfile gzip
    server_tokens autoindex charset
""")
"""Directives that have one argument."""


class ConfError(Exception):
    """The configuration is none; str() is what nginx says after ``[emerg]``."""


class Directive(NamedTuple):
    """One, with those in its block."""

    name: str
    args: tuple[str, ...]
    at: str
    """``FILE:LINE``, where it ends."""
    block: tuple[Directive, ...] | None = None


Read = Callable[[str], str | None]
List = Callable[[str], list[str]]


def parse(path: str, read: Read, files: List) -> tuple[Directive, ...]:
    """All directives of a file and of those that it includes. Raises ConfError.

    ``read`` gives a file's text, None when it is not there; ``files`` those that a pattern names.
    """
    return _Reader(read, files).file(path, "main", "", 0)


class _Reader:
    def __init__(self, read: Read, files: List) -> None:
        self._read = read
        self._files = files
        self._left = DIRECTIVES

    def file(self, path: str, context: str, at: str, depth: int) -> tuple[Directive, ...]:
        text = self._read(path)
        if text is None:
            raise ConfError(
                f'open() "{path}" failed (2: No such file or directory){f" in {at}" if at else ""}'
            )
        if depth > DEPTH or len(text) > BYTES:
            raise ConfError(f"this file is too long or too deep to be read here: {path}")
        return tuple(self._block(path, _tokens(text[:BYTES]), context, depth, inner=False))

    def _block(
        self, path: str, tokens: Iterator[tuple[str, int, bool]], context: str, depth: int, inner: bool
    ) -> Iterator[Directive]:
        words: list[str] = []
        line = 1
        for token, line, quoted in tokens:
            at = f"{path}:{line}"
            if not token and not quoted:
                break
            if quoted or token not in (";", "{", "}"):
                words.append(token)
                continue
            if token == "}":
                if words or not inner:
                    raise ConfError(f'unexpected "}}" in {at}')
                return
            if not words:
                raise ConfError(f'unexpected "{token}" in {at}')
            self._left -= 1
            if self._left < 0:
                raise ConfError(f"more than {DIRECTIVES} directives are not read here, in {at}")
            yield from self._directive(path, tokens, words, token, at, context, depth)
            words = []
        if words:
            raise ConfError(f'unexpected end of file, expecting ";" or "}}" in {path}:{line}')
        if inner:
            raise ConfError(f'unexpected end of file, expecting "}}" in {path}:{line}')

    def _directive(
        self,
        path: str,
        tokens: Iterator[tuple[str, int, bool]],
        words: list[str],
        end: str,
        at: str,
        context: str,
        depth: int,
    ) -> Iterator[Directive]:
        name, args = words[0], tuple(words[1:])
        if context in _FREE:
            if end == "{":
                tuple(self._block(path, tokens, context, depth + 1, inner=True))
            return
        if name == "include":
            yield from self._included(args, end, at, context, depth)
            return
        where = _WHERE.get(name)
        if where is None:
            raise ConfError(f'unknown directive "{name}" in {at}')
        if context not in where:
            raise ConfError(f'"{name}" directive is not allowed here in {at}')
        opens = name in _BLOCKS and not (name == "server" and context == "upstream")
        if opens and end != "{":
            raise ConfError(f'directive "{name}" has no opening "{{" in {at}')
        if not opens and end == "{":
            raise ConfError(f'directive "{name}" is not terminated by ";" in {at}')
        _check(name, args, at)
        if not opens:
            yield Directive(name, args, at)
            return
        if depth > DEPTH:
            raise ConfError(f"blocks are too deep to be read here, in {at}")
        yield Directive(name, args, at, tuple(self._block(path, tokens, name, depth + 1, inner=True)))

    def _included(
        self, args: tuple[str, ...], end: str, at: str, context: str, depth: int
    ) -> Iterator[Directive]:
        if end == "{" or len(args) != 1:
            raise ConfError(f'invalid number of arguments in "include" directive in {at}')
        pattern = args[0] if args[0].startswith("/") else f"/etc/nginx/{args[0]}"
        found = self._files(pattern) if any(char in pattern for char in "*?[") else [pattern]
        for each in found:
            yield from self.file(each, context, at, depth + 1)


def _check(name: str, args: tuple[str, ...], at: str) -> None:
    """The number of arguments, and what a port may be. Raises ConfError."""
    few = {"events": 0, "http": 0, "upstream": 1}.get(name)
    wrong = (name in _ONE and len(args) != 1) or (few is not None and len(args) != few)
    if name in ("listen", "server_name", "index", "location", "return") and not args:
        wrong = True
    if name == "location" and len(args) > 2:
        wrong = True
    if wrong:
        raise ConfError(f'invalid number of arguments in "{name}" directive in {at}')
    if name == "listen":
        port = args[0].rpartition(":")[2]
        if not args[0].startswith("unix:") and _port(args[0]) is None:
            what = "invalid port" if port.isdigit() else "host not found"
            raise ConfError(f'{what} in "{args[0]}" of the "listen" directive in {at}')
        for each in args[1:]:
            if each.partition("=")[0] not in _LISTENS:
                raise ConfError(f'invalid parameter "{each}" in {at}')
    if name == "proxy_pass" and not args[0].startswith(("http://", "https://", "$")):
        raise ConfError(f"invalid URL prefix in {at}")


_LISTENS = (
    "default_server", "default", "ssl", "http2", "quic", "proxy_protocol", "reuseport", "deferred", "bind", "backlog",
    "ipv6only", "so_keepalive", "rcvbuf", "sndbuf", "setfib", "fastopen",
)  # fmt: skip


def _port(text: str) -> int | None:
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = ("", text) if text.isdigit() else (text, "80")
    known = not host or host == "*" or host == "localhost" or is_address(host) or host.startswith("[")
    return int(port) if known and port.isdigit() and len(port) < 6 and 0 < int(port) < 65_536 else None


def _tokens(text: str) -> Iterator[tuple[str, int, bool]]:
    """(word or one of ; { }, line, whether it was quoted); the last one is nothing."""
    at, line, size = 0, 1, len(text)
    while at < size:
        char = text[at]
        if char in " \t\r\n":
            line += char == "\n"
            at += 1
        elif char == "#":
            end = text.find("\n", at)
            at = size if end < 0 else end
        elif char in ";{}":
            yield char, line, False
            at += 1
        else:
            word, quote, at = "", char if char in "\"'" else "", at + (char in "\"'")
            while at < size:
                char = text[at]
                if char == "\\" and at + 1 < size:
                    word += text[at + 1] if text[at + 1] in "\"'\\" else text[at : at + 2]
                    at += 2
                    continue
                if quote:
                    if char == quote:
                        at += 1
                        break
                elif char in " \t\r\n;" or (char == "{" and not word.endswith("$")):
                    break
                line += char == "\n"
                word += char
                at += 1
            yield word, line, bool(quote)
    yield "", line, False


# ---- what the server does with it --------------------------------------------------------------------------


def hosts(directives: tuple[Directive, ...]) -> list[tuple[str, str]]:
    """Names of other hosts that must be found before it starts, each with where it stands."""
    named = {each.args[0] for each in _all(directives) if each.name == "upstream"}
    found: dict[str, str] = {}
    for each in _all(directives):
        place = ""
        if each.name == "proxy_pass" and "$" not in each.args[0]:
            place = each.args[0].partition("://")[2].partition("/")[0]
        elif each.name == "server" and each.block is None:
            place = each.args[0]
        host = place.partition(":")[0]
        if (
            host
            and place not in named
            and host not in named
            and not is_address(host)
            and not host.startswith("unix")
        ):
            found.setdefault(host, each.at)
    return list(found.items())


def _all(directives: tuple[Directive, ...]) -> Iterator[Directive]:
    for each in directives:
        yield each
        if each.block is not None:
            yield from _all(each.block)


def reduced(directives: tuple[Directive, ...]) -> JSON:
    """What the server keeps of it, as JSON. Raises ConfError."""
    if all(each.name != "events" for each in directives):
        raise ConfError('no "events" section in configuration')
    http = tuple(part for each in directives if each.name == "http" for part in each.block or ())
    upstreams = {
        each.args[0]: [part.args[0] for part in each.block or () if part.name == "server" and part.args]
        for each in http
        if each.name == "upstream"
    }
    for each in http:
        if each.name == "upstream" and not upstreams[each.args[0]]:
            raise ConfError(f"no servers are inside upstream in {each.at}")
    given = _settings(http, {"root": "/etc/nginx/html", "index": ["index.html"], "type": "text/plain"})
    servers = [_server(each, given) for each in http if each.name == "server"]
    return {"servers": servers, "upstreams": upstreams}


def _settings(block: tuple[Directive, ...], given: JSON) -> JSON:
    made = dict(given)
    headers = [list(each.args[:2]) for each in block if each.name == "add_header" and len(each.args) > 1]
    if headers:
        made["headers"] = headers
    for each in block:
        match each.name:
            case "root":
                made["root"] = each.args[0] if each.args[0].startswith("/") else f"/etc/nginx/{each.args[0]}"
            case "index":
                made["index"] = list(each.args)
            case "default_type":
                made["type"] = each.args[0]
            case "alias" | "proxy_pass":
                made[each.name] = each.args[0]
            case "return" | "try_files":
                made.setdefault(each.name, list(each.args))
            case "stub_status":
                made["status"] = True
    return made


def _server(server: Directive, given: JSON) -> JSON:
    block = server.block or ()
    listens = [each for each in block if each.name == "listen"]
    ports = [_port(each.args[0]) for each in listens] or [80]
    made = _settings(block, given)
    return {
        "ports": [port for port in ports if port is not None],
        "default": any("default_server" in each.args for each in listens),
        "names": [name for each in block if each.name == "server_name" for name in each.args],
        "own": made,
        "locations": [_location(each, made) for each in block if each.name == "location"],
    }


def _location(location: Directive, server: JSON) -> JSON:
    how = location.args[0] if len(location.args) > 1 else ""
    return {"how": how, "path": location.args[-1], **_settings(location.block or (), _inherited(server))}


def _inherited(made: JSON) -> JSON:
    return {name: value for name, value in made.items() if name not in ("return", "try_files")}


def ports(conf: JSON) -> tuple[int, ...]:
    """The ports on which it listens, each once."""
    return tuple(dict.fromkeys(port for server in conf["servers"] for port in server["ports"]))


def server_of(conf: JSON, port: int, host: str) -> JSON | None:
    """The server for a request that came to a port with that Host."""
    here: list[JSON] = [server for server in conf["servers"] if port in server["ports"]]
    name = host.partition(":")[0].lower()
    for server in here:
        if any(name == each.lower() or _wild(each, name) for each in server["names"]):
            return server
    return next((server for server in here if server["default"]), here[0] if here else None)


def _wild(pattern: str, name: str) -> bool:
    if pattern.startswith("*."):
        return name.endswith(pattern[1:])
    return pattern.endswith(".*") and name.startswith(pattern[:-1])


def location_of(server: JSON, path: str, matches: Callable[[str, bool, str], bool]) -> JSON:
    """The settings for a path: an exact location, else a regular expression, else the longest beginning."""
    locations: list[JSON] = server["locations"]
    for each in locations:
        if each["how"] == "=" and each["path"] == path:
            return each
    begins = [each for each in locations if each["how"] in ("", "^~") and path.startswith(each["path"])]
    best = max(begins, key=lambda each: len(each["path"]), default=None)
    if best is None or best["how"] != "^~":
        for each in locations:
            if each["how"] in ("~", "~*") and matches(each["path"], each["how"] == "~*", path):
                return each
    own: JSON = server["own"]
    return own if best is None else best
