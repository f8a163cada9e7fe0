"""perl: its interpreter runs what Kubernetes' documentation has it compute, the digits of π, and nothing else."""

from __future__ import annotations

import re

from cluster_engine.container_runtime.http import Line
from cluster_engine.container_runtime.image import PATH, Image, Variant, debian_files, tags
from cluster_engine.container_runtime.programs import once
from cluster_engine.linux.program import Program, Sys

MAX_DIGITS = 5_000
"""Digits of π that are computed."""
_PI = re.compile(r"print\s*\(?\s*bpi\((\d{1,6})\)\s*\)?;?", re.ASCII)


def pi(digits: int) -> str:
    """So many significant digits of π, the last one rounded as bignum does (Machin's formula)."""
    one: int = 10 ** (digits + 10)

    def inverse(number: int) -> int:
        term = total = one // number
        square, sign, odd = number * number, -1, 3
        while term:
            term //= square
            total += sign * (term // odd)
            sign, odd = -sign, odd + 2
        return total

    value = 4 * (4 * inverse(5) - inverse(239))
    text = str((value + 5 * 10**10) // 10**11)
    return f"{text[0]}.{text[1:]}" if len(text) > 1 else text


def _programs(variant: Variant) -> dict[str, Program]:
    def tell(sys: Sys, argv: list[str]) -> tuple[int, list[Line]]:
        words = argv[1:]
        if words[:1] in (["-v"], ["--version"]):
            major, minor, patch = variant.version.split(".")
            text = f"This is perl {major}, version {minor}, subversion {patch} (v{variant.version})"
            return 0, [("stdout", ""), ("stdout", f"{text} built for x86_64-linux-gnu")]
        found = _PI.fullmatch(words[-1].strip()) if len(words) > 1 and words[0] == "-Mbignum=bpi" else None
        digits = int(found.group(1)) if found is not None else 0
        if not 0 < digits <= MAX_DIGITS:
            return 1, [
                (
                    "stderr",
                    "perl: this program cannot be run: only the digits of pi are computed here",
                )
            ]
        sys.tick(digits * digits // 4)
        return 0, [("stdout", pi(digits))]

    return {"/usr/local/bin/perl": once("perl", tell)}


IMAGE = Image(
    repository="docker.io/library/perl",
    since=(5, 8),
    variants={
        **tags(361_000_000, "5.42.0", "latest", "5", "5.42", "5.42.0"),
        **tags(336_000_000, "5.34.0", "5.34", "5.34.0"),
        **tags(52_000_000, "5.42.0", "slim", "5-slim", "5.42-slim", flavor="slim"),
    },
    cmd=("perl", "-de0"),
    env={"PATH": PATH, "PERL_VERSION": "5.42.0"},
    workdir="/usr/src/app",
    programs=_programs,
    tools="debian",
    files=debian_files,
)
