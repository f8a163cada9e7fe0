# ruff: noqa: E501 (one line a case)
"""Hostile input in a Pod: it ends, or is held back; its neighbour goes on; nothing of the host is opened."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from tests.audited import host_touched

KEYFRAME = 6 * 1024 * 1024
"""Bytes that a cluster with such a Pod may take."""


def pod(name: str) -> dict[str, Any]:
    container = {"name": "c", "image": "nicolaka/netshoot", "command": ["sleep", "100d"]}
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True, strict=True, addons=False)
    cluster.apply(pod("hostile"))
    cluster.apply(pod("neighbour"))
    assert cluster.settle()
    cluster.execute("hostile", ["sh", "-c", "true"])
    return cluster


A40 = "a" * 40
# id: (what it runs, a part of what it says; "" for anything)
CASES: dict[str, tuple[str, str]] = {
    "a fork bomb": ("f() { f | f & }; f; sleep 5; echo here", "here"),
    "a fork bomb by name": ("echo 'sh /tmp/b & sh /tmp/b' > /tmp/b; sh /tmp/b; sleep 5; echo here", "here"),
    "a loop": ("timeout 5 sh -c 'while :; do :; done'; echo $?", "143"),
    "a loop that counts": ("timeout 5 sh -c 'i=0; while :; do i=$((i+1)); done'; echo $?", "143"),
    "endless output": ("timeout 5 yes > /dev/null; echo $?", "143"),
    "endless output to a file": ("timeout 20 sh -c 'yes > /tmp/f'; ls -l /tmp/f | wc -l", "1"),
    "endless output to a pipe": ("yes | head -n 2", "y\ny\n"),
    "endless output to whoever listens": ("timeout 2 yes | tail -n 1", "y"),
    "many files": ("timeout 20 sh -c 'i=0; while :; do i=$((i+1)); echo x > /tmp/$i; done'; echo here", "here"),
    "deep folders": ("d=/tmp; i=0; while [ $i -lt 3000 ]; do d=$d/a; i=$((i+1)); done; mkdir -p $d; echo $?; find /tmp -type d | wc -l", "File name too long"),
    "a long name": ("touch /tmp/$(printf %0300d 0); echo $?", "File name too long"),
    "a string of a gigabyte": ("x=a; while :; do x=$x$x; done", "out of memory"),
    "a string of awk": ("awk 'BEGIN { x = \"a\"; while (1) x = x x }'; echo $?", ""),
    "an array of awk": ("timeout 20 awk 'BEGIN { while (1) a[i++] = i }'; echo here", "here"),
    "a loop of awk": ("timeout 5 awk 'BEGIN { while (1); }'; echo here", "here"),
    "a printf of awk": ("awk 'BEGIN { printf \"%999999999d\", 1 }' | wc -c", ""),
    "awk calls itself": ("awk 'function f() { f() } BEGIN { f() }'; echo here", "here"),
    "sed that grows": ("timeout 20 sh -c \"echo a | sed ':a;s/a/aa/g;ta'\"; echo here", "here"),
    "sed that loops": ("timeout 5 sh -c \"echo a | sed ':a;ba'\"; echo here", "here"),
    "jq: a long list": ("timeout 20 jq -n '[range(1e12)] | length'; echo here", "here"),
    "jq: a long string": ("jq -n '\"a\" * 1e12 | length'; echo here", "here"),
    "jq calls itself": ("timeout 20 jq -n 'def f: f | f; f'; echo here", "here"),
    "jq: deep JSON": ("printf '[%.0s' $(seq 20000) | jq .; echo here", "here"),
    "a pattern: grep": (f"echo {A40}b | grep -cE '^(a+)+$'", "0"),
    "a pattern: grep -P's friend": (f"echo {A40}b | grep -cE '(a|aa)+$'", "0"),
    "a pattern: sed": (f"echo {A40}b | sed -E 's/^(a|a)*$/x/'", f"{A40}b"),
    "a pattern: awk": (f"echo {A40}b | awk '/^(a*)*$/ {{ print 1 }} END {{ print 2 }}'", "2"),
    "a pattern: jq": (f"jq -n '\"{A40}b\" | test(\"^(a+)+$\")'", "false"),
    "a pattern: jq replaces": (f"timeout 20 jq -n '\"{A40}b\" | gsub(\"(a+)+$\"; \"x\"), [scan(\"(a|aa)+$\")]'; echo here", "here"),
    "a pattern: jq captures": (f"timeout 20 jq -n '\"{A40}b\" | [capture(\"(?<x>(a*)*)$\")]'; echo here", "here"),
    "a pattern: expr": (f"expr {A40}b : '\\(a*\\)*$'; echo here", "here"),
    "a pattern: case": (f"case {A40}b in *a*a*a*a*a*a*a*a*c) echo yes;; *) echo no;; esac", "no"),
    "a pattern: many braces": ("grep -cE '((a{1,200}){1,200}){1,200}' /etc/hosts; echo here", "here"),
    "a path out of an archive": ("cd /tmp; mkdir d; echo x > evil; cd d; tar cf ../e.tar ../evil; rm ../evil; tar xf ../e.tar; ls /tmp/d /tmp | tr '\\n' ' '", "evil"),
    "an absolute path in an archive": ("tar cf /tmp/e.tar /etc/hosts 2>/dev/null; mkdir /tmp/d; cd /tmp/d; tar xf /tmp/e.tar; find . -type f", "./etc/hosts"),
    "a broken archive": ("head -c 5000 /dev/urandom > /tmp/e.tar; tar xf /tmp/e.tar; echo $?", "1"),
    "a broken gzip": ("head -c 5000 /dev/urandom | gzip -d; echo $?", "1"),
    "links in a ring": ("cd /tmp; ln -s a b; ln -s b a; cat a", "Too many levels of symbolic links"),
    "a link to its folder: find": ("mkdir /tmp/d; ln -s . /tmp/d/me; find -L /tmp/d | wc -l; echo here", "here"),
    "a link to its folder: cp": ("mkdir /tmp/d; ln -s . /tmp/d/me; cp -r /tmp/d /tmp/e; ls /tmp/e", "me"),
    "a folder into itself": ("mkdir /tmp/d; cp -r /tmp/d /tmp/d/e; mv /tmp/d /tmp/d/f; echo here", "here"),
    "links in a ring: who walks": ("mkdir /tmp/d; cd /tmp/d; ln -s a b; ln -s b a; ln -s . me; grep -r x . ; ls -RL . ; du -L . ; tar chf /tmp/o.tar . ; find -L . -exec true ';' ; echo here", "here"),
    "broken UTF-8 in names": ("cd /tmp; n=$(printf 'a\\377\\200'); echo x > \"$n\"; ls; stat \"$n\"; find . -name \"$n\"; tar cf o.tar \"$n\"; tar tf o.tar; mkdir \"$n.d\"; cp \"$n\" \"$n.d\"; ip addr show \"$n\"; nslookup \"$n\" 127.0.0.1; echo here", "here"),
    "broken UTF-8": ("printf 'a\\377\\376\\200b\\n' > /tmp/u; for c in cat rev sort uniq 'wc -m' 'cut -c2' 'tr a b' 'sed s/a/b/' 'grep a' 'awk 1' 'jq -R .' 'head -c 3' 'od -c' md5sum base64; do $c < /tmp/u > /tmp/o || echo $c; done; echo here", "here"),
    "a zero byte": ("printf 'a\\0b\\n' > /tmp/u; for c in cat sort 'sed s/a/b/' 'grep -a a' 'awk 1' wc 'tr a b'; do $c < /tmp/u > /tmp/o || echo $c; done; echo here", "here"),
    "signals at every point": ("for s in HUP INT QUIT USR1 USR2 TERM STOP CONT KILL; do for t in 0 0.1 0.3; do (while :; do date; echo x | cat | sort; done > /dev/null) & p=$!; sleep $t; kill -$s $p; kill -KILL $p 2>/dev/null; wait $p; done; done; echo here", "here"),
    "signals to all": ("(trap '' TERM INT; sleep 3) & kill -TERM -1; kill -0 $$; echo here", ""),
    "a trap that traps": ("trap 'kill -TERM $$' TERM; (sleep 1; kill -TERM $$) & timeout 3 sleep 2; echo here", ""),
    "sleepers": ("i=0; while [ $i -lt 300 ]; do sleep 100 & i=$((i+1)); done; echo here", "here"),
    "short sleeps": ("timeout 20 sh -c 'while :; do sleep 0.0001; done'; echo here", "here"),
    "many connections": ("i=0; while [ $i -lt 300 ]; do nc 127.0.0.1 9 < /dev/null & i=$((i+1)); done; wait; echo here", "here"),
    "a server that calls itself": ("timeout 20 sh -c 'while :; do nc -l -p 7000 -e nc 127.0.0.1 7000; done & sleep 1; echo x | nc 127.0.0.1 7000'; echo here", "here"),
    "dd of everything": ("timeout 20 dd if=/dev/zero of=/tmp/z bs=1M count=100000; echo here", "here"),
    "a hole": ("dd if=/dev/zero of=/tmp/z bs=1 count=1 seek=99999999999; echo here", "here"),
    "xargs without end": ("timeout 5 sh -c 'yes | xargs -n 1 echo > /dev/null'; echo here", "here"),
    "a regular expression that is none": ("grep '[' /etc/hosts; sed 's/(/' /etc/hosts; awk '/(/' /etc/hosts; echo here", "here"),
    "arithmetic": ("echo $((1 / 0)); echo $((9223372036854775807 + 1)); echo $((1 << 9999)); echo here", ""),
    "seq": ("timeout 5 seq 1 999999999999 | tail -n 1 | wc -l", "1"),
}  # fmt: skip


SLOW = ("sed that grows", "many files", "a fork bomb by name")


@pytest.mark.parametrize(
    "case", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in CASES]
)
def test_what_a_pod_does(base: Cluster, case: str) -> None:
    line, said = CASES[case]
    cluster = base.fork()
    with host_touched() as touched:
        done = cluster.execute("hostile", ["sh", "-c", line], limit=300)
        other = cluster.execute("neighbour", ["sh", "-c", "echo alive"], limit=30)
    assert said in (done.stdout + done.stderr).decode("utf-8", "replace")
    assert other.stdout == b"alive\n"
    assert touched == []
    assert len(cluster.keyframe()) < KEYFRAME
