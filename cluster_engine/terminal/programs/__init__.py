"""The programs of the terminal: those of a busybox image, and what belongs to the terminal alone."""

from __future__ import annotations

from dataclasses import replace

from cluster_engine.linux import programs as linux
from cluster_engine.linux.program import Program
from cluster_engine.linux.sh import SHELL
from cluster_engine.terminal.programs import (
    clock,
    edit,
    etcdctl,
    fault,
    hint,
    kubectl,
    sentences,
    ssh,
    standing_outside,
    why,
)
from cluster_engine.terminal.programs.help import programs as helping

OWN: tuple[Program, ...] = (
    edit.EDIT,
    edit.NANO,
    edit.VI,
    edit.VIM,
    clock.PROGRAM,
    etcdctl.PROGRAM,
    fault.PROGRAM,
    kubectl.PROGRAM,
    why.PROGRAM,
    hint.PROGRAM,
    ssh.PROGRAM,
    *sentences.PROGRAMS,
    *standing_outside.PROGRAMS,
)
"""What knows of the page or of the cluster."""

PROGRAMS: dict[str, Program] = {
    **{name: linux.PROGRAMS[name] for name in linux.of("busybox")},
    **{each.name: each for each in linux.EXTRA},
    "bash": replace(SHELL, name="bash"),
    "init": replace(SHELL, name="init"),
    **{each.name: each for each in OWN},
}
PROGRAMS.update({each.name: each for each in helping(PROGRAMS)})
