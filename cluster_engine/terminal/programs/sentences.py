"""Names that deserve a better answer than `not found`: what is not there, and what to do instead."""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.text import octets

SENTENCES: dict[str, str] = {
    "apt": "nothing can be installed here: this terminal has no Internet",
    "apt-get": "nothing can be installed here: this terminal has no Internet",
    "brew": "nothing can be installed here: this terminal has no Internet",
    "code": "the editor is in this page: edit FILE opens it there",
    "crictl": "runs on a node: ssh NODE crictl ps",
    "declare": "belongs to bash; write name=value",
    "docker": "no containers run on this machine; the cluster runs them (kubectl run)",
    "emacs": "the editor is in this page: edit FILE opens it there",
    "git": "not in this terminal: there is no Internet here to fetch from",
    "helm": "not in this terminal; download the kubeconfig and use your own helm",
    "journalctl": "no services run on this machine; kubectl logs shows containers, kubectl get events the cluster",
    "k9s": "not in this terminal; download the kubeconfig and use your own k9s",
    "kind": "your cluster is there already (kubectl get nodes)",
    "kubeadm": "your cluster is there already (kubectl get nodes)",
    "kubectx": "not in this terminal; write kubectl config use-context NAME",
    "kubens": "not in this terminal; write kubectl config set-context --current --namespace=NAME",
    "kustomize": "write kubectl kustomize DIRECTORY, or kubectl apply -k DIRECTORY",
    "minikube": "your cluster is there already (kubectl get nodes)",
    "python": "not in this terminal",
    "python3": "not in this terminal",
    "scp": "not in this terminal (ssh NODE cat FILE shows a file of a node); kubectl cp copies from and to Pods",
    "screen": "the + above the terminal opens another one",
    "shopt": "belongs to bash",
    "sudo": "there is no other user here; run the command without it",
    "systemctl": "no services run on this machine; nodes of the cluster have a kubelet (kubectl get nodes)",
    "telnet": "not in this terminal; write nc HOST PORT",
    "tmux": "the + above the terminal opens another one",
    "typeset": "belongs to bash; write name=value",
    "yq": "not in this terminal; kubectl get … -o jsonpath={…} picks out parts",
}


def _saying(sentence: str) -> Callable[[Sys, list[str]], int]:
    def run(sys: Sys, argv: list[str]) -> int:
        sys.error(octets(sentence))
        return 1

    return run


PROGRAMS = tuple(Program(name, sentence, name, run=_saying(sentence)) for name, sentence in SENTENCES.items())
