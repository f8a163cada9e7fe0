"""`openssl`: its commands. What is made comes from the machine's /dev/urandom, and takes a while where primes are
searched for (`primes.py`)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import NoReturn

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Exit, Program, State, Sys
from cluster_engine.linux.programs.openssl import certificates, primes
from cluster_engine.linux.programs.openssl.certificates import Bad
from cluster_engine.linux.text import octets

MAX_BYTES = 1 << 16
"""Random bytes of one call."""
MAX_FILE = 1 << 16
"""Bytes of a file that is read."""
MAX_BITS = 2_048
"""Bits of an RSA key that is made."""
_WRAP = 64
_SEED = 64
_DAYS = 30
_HINT = "rand: Use -help for summary."
_VERSION = "OpenSSL 3.5.4 30 Sep 2025 (Library: OpenSSL 3.5.4 30 Sep 2025)"

Options = dict[str, list[str]]
"""Option without its dash -> the values given; "" -> the operands."""
_FLAGS: dict[str, tuple[str, str]] = {
    "genrsa": ("traditional quiet verbose", "out"),
    "genpkey": ("quiet", "algorithm out pkeyopt"),
    "ecparam": ("genkey noout", "name out"),
    "rsa": ("noout pubout check text", "in out"),
    "pkey": ("noout pubout check text", "in out"),
    "req": (
        "new x509 nodes noenc noout text subject verify sha256 batch",
        "key out in keyout newkey days subj addext",
    ),
    "x509": (
        "req noout text subject issuer dates startdate enddate serial pubkey CAcreateserial sha256",
        "in out CA CAkey days set_serial signkey key copy_extensions checkend",
    ),
    "verify": ("", "CAfile"),
}
"""Command -> (its flags, its options with a value) that act here."""


def _refuse(sys: Sys, *lines: str) -> NoReturn:
    sys.err("".join(f"{line}\n" for line in lines))
    raise Exit(1)


def _start(sys: Sys, argv: list[str]) -> State:
    match argv[1:]:
        case ["version", *_]:
            sys.out(f"{_VERSION}\n")
            sys.exit(0)
        case ["rand", *words]:
            return _random(sys, {"command": "rand", **_rand(sys, words)})
        case [command, *words] if command in _FLAGS:
            opts = _options(sys, command, words)
            state = {"command": command, "opts": opts, "count": _SEED}
            if "in" in opts or not _reads(command, opts):
                return _random(sys, state)
            sys.read(0)
            return {**state, "given": ""}
        case [command, *_]:
            _refuse(sys, f"openssl: {command} is not simulated here; a real openssl has it")
    _refuse(sys, f"openssl: a command is wanted here: rand, version, {', '.join(_FLAGS)}")


def _reads(command: str, opts: Options) -> bool:
    """Whether a file is wanted, which is standard input where none is named."""
    return command in ("x509", "pkey", "rsa") or (
        command == "req" and not {"new", "newkey", "x509", "subj"} & {*opts}
    )


def _random(sys: Sys, state: State) -> State:
    """Random bytes come first."""
    source = sys.open("/dev/urandom")
    sys.read(source)
    return {**state, "held": "", "source": source, "search": {}, "primes": []}


def _rand(sys: Sys, words: list[str]) -> State:
    form = ""
    while words and words[0].startswith("-"):
        form = words.pop(0)
        if form not in ("-base64", "-hex"):
            _refuse(sys, f"rand: Unknown option: {form}", _HINT)
    if len(words) != 1:
        _refuse(sys, _HINT)
    if not (words[0].isascii() and words[0].isdecimal() and len(words[0]) < 10):
        _refuse(sys, f'rand: Can\'t parse "{words[0]}" as a number', _HINT)
    count = int(words[0])
    if not count:
        _refuse(sys, _HINT)
    if count > MAX_BYTES:
        _refuse(sys, f"openssl: more than {MAX_BYTES} random bytes are not made here")
    return {"form": form, "count": count}


def _options(sys: Sys, command: str, words: list[str]) -> Options:
    flags, valued = (names.split() for names in _FLAGS[command])
    found: Options = {"": []}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name = word.lstrip("-") if word.startswith("-") else ""
        if not name:
            found[""].append(word)
        elif name in flags:
            found[name] = ["1"]
        elif name in valued and rest:
            found.setdefault(name, []).append(rest.pop(0))
        elif name in valued:
            _refuse(sys, f"{command}: Option {word} needs a value", f"{command}: Use -help for summary.")
        else:
            _refuse(sys, f"{command}: the option {word} is not simulated here; a real openssl may have it")
    return found


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _start(sys, argv)
        case ["data", 0, chunk]:
            state["given"] += chunk
            if len(state["given"]) > MAX_FILE:
                _refuse(sys, f"{state['command']}: more than {MAX_FILE} bytes are not read here")
            sys.read(0)
        case ["end", 0]:
            return _random(sys, state)
        case ["data", source, chunk]:
            state["held"] = (state["held"] + chunk)[: state["count"]]
            if len(state["held"]) < state["count"]:
                sys.read(source)
                return state
            if state["command"] == "rand":
                _show(sys, state["form"], state["held"])
                sys.exit(0)
            return _searching(sys, state)
        case ["timer", _]:
            state["search"] = primes.step(state["search"])
            sys.tick(primes.TRIES * primes.TEST_COST)
            if len(state["search"]["found"]) < 2:
                sys.sleep(0)
                return state
            state["primes"] = state["search"]["found"]
            _finish(sys, state)
    return state


def _searching(sys: Sys, state: State) -> State:
    """A command that makes an RSA key looks for primes first."""
    try:
        bits = _bits(state["command"], state["opts"])
    except Bad as problem:
        _refuse(sys, f"{state['command']}: {problem}")
    if not bits:
        _finish(sys, state)
    state["search"] = primes.begin(state["held"], bits)
    sys.sleep(0)
    return state


def _bits(command: str, opts: Options) -> int:
    """How long the RSA key is that is asked for; 0: none is. Raises Bad."""
    text = ""
    if command == "genrsa":
        text = (opts[""] or ["2048"])[-1]
    elif command == "genpkey" and _value(opts, "algorithm").upper() == "RSA":
        text = next(
            (o.partition(":")[2] for o in opts.get("pkeyopt", ()) if o.startswith("rsa_keygen_bits:")), "2048"
        )
    elif command == "req" and _value(opts, "newkey").partition(":")[0] == "rsa":
        text = _value(opts, "newkey").partition(":")[2] or "2048"
    elif command == "req" and "x509" in opts and not (opts.get("key") or opts.get("newkey")):
        text = "2048"
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) < 8):
        raise Bad(f'Can\'t parse "{text}" as a number')
    if not 1_024 <= int(text) <= MAX_BITS or int(text) % 16:
        raise Bad(f"RSA keys of 1024 to {MAX_BITS} bits are made here, not of {text}")
    return int(text)


def _value(opts: Options, name: str, default: str = "") -> str:
    return (opts.get(name) or [default])[-1]


def _finish(sys: Sys, state: State) -> NoReturn:
    command, opts = state["command"], state["opts"]
    try:
        status = _COMMANDS[command](sys, opts, state)
    except Bad as problem:
        _refuse(sys, f"{command}: {problem}" if command != "verify" else str(problem))
    raise Exit(status)


def _read(sys: Sys, name: str, what: str) -> str:
    """A file's byte text. Raises Bad."""
    try:
        text = str(sys.fs.read(name))
    except FileError as error:
        raise Bad(f"Could not open file or uri for loading {what} from {name}: {error.reason}") from None
    if len(text) > MAX_FILE:
        raise Bad(f"{name}: a file of more than {MAX_FILE} bytes is not read here")
    return text


def _given(sys: Sys, opts: Options, state: State, what: str) -> str:
    """What ``-in`` names, or standard input. Raises Bad."""
    return _read(sys, _value(opts, "in"), what) if "in" in opts else str(state["given"])


def _write(sys: Sys, name: str, text: str, secret: bool = False) -> None:
    """To a file, or to standard output. Raises Bad."""
    if not name:
        sys.out(octets(text))
        return
    try:
        sys.fs.write(name, octets(text))
        if secret:
            sys.fs.chmod(name, 0o600)
    except FileError as error:
        raise Bad(f'Can\'t open "{name}" for writing, {error.reason}') from None


# ---- commands ------------------------------------------------------------------------------------------------


def _genrsa(sys: Sys, opts: Options, state: State) -> int:
    key = certificates.rsa_key(state["primes"])
    _write(sys, _value(opts, "out"), certificates.key_text(key, "traditional" in opts), secret=True)
    return 0


def _genpkey(sys: Sys, opts: Options, state: State) -> int:
    kind = _value(opts, "algorithm").upper()
    if kind not in ("RSA", "EC", "ED25519"):
        raise Bad(
            f"keys of the algorithm {kind or 'that is not said'} are not made here (RSA, EC, ED25519 are)"
        )
    known = {"RSA": "rsa_keygen_bits:", "EC": "ec_paramgen_curve:P-256"}.get(kind)
    for option in opts.get("pkeyopt", ()):
        if known is None or not option.startswith(known):
            raise Bad(f"the option {option} of a key is not simulated here; a real openssl may have it")
    key = (
        certificates.rsa_key(state["primes"])
        if kind == "RSA"
        else certificates.other_key(kind, state["held"])
    )
    _write(sys, _value(opts, "out"), certificates.key_text(key), secret=True)
    return 0


def _ecparam(sys: Sys, opts: Options, state: State) -> int:
    if _value(opts, "name") not in ("prime256v1", "P-256", "secp256r1") or "genkey" not in opts:
        raise Bad("keys of the curve prime256v1 alone are made here (-name prime256v1 -genkey -noout)")
    key = certificates.key_text(certificates.other_key("EC", state["held"]))
    _write(sys, _value(opts, "out"), key, secret=True)
    return 0


def _pkey(sys: Sys, opts: Options, state: State) -> int:
    if "text" in opts:
        raise Bad("a key is not shown as text here")
    key = certificates.key_of(_given(sys, opts, state, "private key"))
    if "check" in opts:
        sys.out("RSA key ok\n" if state["command"] == "rsa" else "Key is valid\n")
    if "noout" not in opts:
        text = certificates.public_text(key.public_key()) if "pubout" in opts else certificates.key_text(key)
        if state["command"] == "rsa":
            sys.err("writing RSA key\n")
        _write(sys, _value(opts, "out"), text, secret="pubout" not in opts)
    return 0


def _own_key(sys: Sys, opts: Options, state: State) -> certificates.Key:
    """The key of a request: the one that is named, or a new one, which is kept. Raises Bad."""
    kind = _value(opts, "newkey")
    if not kind and opts.get("key"):
        return certificates.key_of(_read(sys, _value(opts, "key"), "private key"))
    if kind.partition(":")[0] not in ("", "rsa", "ed25519"):
        raise Bad(f"new keys of the kind {kind} are not made here (rsa:2048 and ed25519 are)")
    if "nodes" not in opts and "noenc" not in opts:
        raise Bad("encrypted keys are not made here: say -nodes")
    made = (
        certificates.other_key("ED25519", state["held"])
        if kind == "ed25519"
        else certificates.rsa_key(state["primes"])
    )
    _write(sys, _value(opts, "keyout", "privkey.pem"), certificates.key_text(made), secret=True)
    return made


def _req(sys: Sys, opts: Options, state: State) -> int:
    if "in" in opts or "given" in state:
        return _show_request(sys, opts, _given(sys, opts, state, "certificate request"))
    if not opts.get("subj"):
        raise Bad('questions are not asked here: say who it is for, -subj "/CN=name/O=group"')
    key, names = _own_key(sys, opts, state), ",".join(opts.get("addext", ()))
    if "x509" not in opts:
        return _show_request(sys, opts, certificates.request_text(key, _value(opts, "subj"), names))
    if shown := [name for name in ("text", "subject", "verify", "noout") if name in opts]:
        raise Bad(f"a certificate is not shown while it is made here (-{shown[0]}): openssl x509 shows it")
    subject = certificates.subject_of(_value(opts, "subj"))
    other = certificates.alternatives(names) if names else None
    days, serial = _days(opts), _serial(state)
    made = certificates.certificate_text(key.public_key(), subject, key, None, sys.now, days, serial, other)
    _write(sys, _value(opts, "out"), made)
    return 0


def _show_request(sys: Sys, opts: Options, text: str) -> int:
    found = certificates.request_of(text)
    if "verify" in opts:
        sys.err("Certificate request self-signature verify OK\n")
    if "text" in opts:
        sys.out(octets(certificates.request_shown(found)))
    if "subject" in opts:
        sys.out(octets(f"subject={certificates.shown_name(found.subject)}\n"))
    if "noout" not in opts:
        _write(sys, _value(opts, "out"), text)
    return 0


def _days(opts: Options) -> int:
    text = _value(opts, "days", str(_DAYS))
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:7]) < 40_000):
        raise Bad(f'Can\'t parse "{text}" as a number')
    return int(text)


def _number(opts: Options, name: str) -> int:
    """Of at most 40 digits. Raises Bad."""
    text = _value(opts, name)
    if not (text.isascii() and text.isdecimal() and len(text) < 40):
        raise Bad(f'Can\'t parse "{text}" as a number')
    return int(text)


def _serial(state: State) -> int:
    return int.from_bytes(state["held"][:19].encode("latin-1")) | 1 << 150


def _signed(sys: Sys, opts: Options, state: State) -> str:
    """The certificate that an authority, or the key itself, makes of a request. Raises Bad."""
    request = certificates.request_of(_given(sys, opts, state, "certificate request"))
    number = _number(opts, "set_serial") if opts.get("set_serial") else _serial(state)
    if _value(opts, "copy_extensions", "none") not in ("none", "copy", "copyall"):
        raise Bad(f"Invalid extension copy option: {_value(opts, 'copy_extensions')}")
    own = _value(opts, "signkey") or _value(opts, "key")
    if own:
        authority, signer = None, certificates.key_of(_read(sys, own, "private key"))
    elif not opts.get("CA") or not opts.get("CAkey"):
        raise Bad("We need a private key to sign with, use -key or -CA or -CAkey with private key")
    else:
        authority = certificates.certificate_of(_read(sys, _value(opts, "CA"), "CA certificate"))
        signer = certificates.key_of(_read(sys, _value(opts, "CAkey"), "CA private key"))
        if certificates.public_text(signer.public_key()) != certificates.public_text(authority.public_key()):
            raise Bad("CA certificate and CA private key do not match")
        if "CAcreateserial" in opts:
            _write(sys, _value(opts, "CA").rpartition(".")[0] + ".srl", f"{number:040X}\n")
    sys.err(f"Certificate request self-signature ok\nsubject={certificates.shown_name(request.subject)}\n")
    names = certificates.names_of(request) if _value(opts, "copy_extensions") in ("copy", "copyall") else None
    return certificates.certificate_text(
        request.public_key(), request.subject, signer, authority, sys.now, _days(opts), number, names
    )


def _x509(sys: Sys, opts: Options, state: State) -> int:
    of_requests = ("CA", "CAkey", "CAcreateserial", "days", "set_serial", "signkey", "key", "copy_extensions")
    if "req" not in opts and (named := [name for name in of_requests if name in opts]):
        raise Bad(f"-{named[0]} is simulated for requests alone (-req); a real openssl has it")
    text = _signed(sys, opts, state) if "req" in opts else _given(sys, opts, state, "certificate")
    found = certificates.certificate_of(text)
    begins, ends = found.not_valid_before_utc, found.not_valid_after_utc
    if "text" in opts:
        sys.out(octets(certificates.certificate_shown(found)))
    shown = {
        "serial": f"serial={found.serial_number:X}",
        "subject": f"subject={certificates.shown_name(found.subject)}",
        "issuer": f"issuer={certificates.shown_name(found.issuer)}",
        "startdate": f"notBefore={certificates.shown_time(begins)}",
        "enddate": f"notAfter={certificates.shown_time(ends)}",
        "dates": f"notBefore={certificates.shown_time(begins)}\nnotAfter={certificates.shown_time(ends)}",
        "pubkey": certificates.public_text(found.public_key()).rstrip("\n"),
    }
    for name in opts:
        if name in shown:
            sys.out(octets(f"{shown[name]}\n"))
    if "checkend" in opts:
        left = ends.timestamp() - sys.now // 1_000_000
        expires = left <= _number(opts, "checkend")
        sys.out(f"Certificate will {'' if expires else 'not '}expire\n")
        return int(expires)
    if "noout" not in opts:
        _write(sys, _value(opts, "out"), text)
    return 0


def _verify(sys: Sys, opts: Options, state: State) -> int:
    if not opts.get("CAfile"):
        raise Bad("an authority's certificate is wanted here: -CAfile")
    authority = certificates.certificate_of(_read(sys, _value(opts, "CAfile"), "CA certificate"))
    status = 0
    for name in opts[""]:
        found = certificates.certificate_of(_read(sys, name, "certificate"))
        late = found.not_valid_after_utc.timestamp() < sys.now // 1_000_000
        if certificates.issued_by(found, authority) and not late:
            sys.out(f"{name}: OK\n")
            continue
        number, why = (
            (10, "certificate has expired") if late else (20, "unable to get local issuer certificate")
        )
        sys.err(
            octets(f"{certificates.shown_name(found.subject)}\nerror {number} at 0 depth lookup: {why}\n")
        )
        sys.err(f"error {name}: verification failed\n")
        status = 2
    return status


_COMMANDS: dict[str, Callable[[Sys, Options, State], int]] = {
    "genrsa": _genrsa,
    "genpkey": _genpkey,
    "ecparam": _ecparam,
    "rsa": _pkey,
    "pkey": _pkey,
    "req": _req,
    "x509": _x509,
    "verify": _verify,
}


def _show(sys: Sys, form: str, text: str) -> None:
    data = text.encode("latin-1")
    if form == "-hex":
        sys.out(f"{data.hex()}\n")
    elif form == "-base64":
        shown = base64.b64encode(data).decode()
        sys.out("".join(f"{shown[at : at + _WRAP]}\n" for at in range(0, len(shown), _WRAP)))
    else:
        sys.write(1, text)


PROGRAM = Program(
    "openssl",
    "keys, requests and certificates",
    "openssl rand|genrsa|genpkey|ecparam|req|x509|verify …",
    on=_on,
)
