"""`openssl`: keys, requests and certificates as tutorials make them. ``cryptography`` does the arithmetic and is
imported when it is first needed, for it would cost each boot a tenth more."""

from cluster_engine.linux.programs.openssl.program import PROGRAM

__all__ = ["PROGRAM"]
