"""Benchmarks: ratios within one run, never bounds in a test.

    python -m bench boot --json
    python -m bench scale --json [--sizes 100,300,1000] [--profile] [--no-peer]
    python -m bench scheduler --json [--sizes 100,300,1000]
    python -m bench fork|idle|recovery --json
    python -m bench labs|grading|checks --json     an engine host, a database and a Redis, on all processors
    python -m bench all --json

Every other measurement runs in a fresh process on one core; the peer (webernetes, on Node) runs beside the engine in
the same call, so that a machine's good or bad day touches both.
"""
