"""fluentd and Fluent Bit: what tails files and prints what is new in them, as far as their configuration asks for that.

Of a configuration the paths of ``tail`` inputs count; what it would send elsewhere is printed too. A file whose
sections are not closed ends the program, as the real one does.
"""

from __future__ import annotations

from cluster_engine.container_runtime.image import PATH, Image, Variant, debian_files, tags

_FOLLOW = """seen=
while :; do
  for f in $(ls -d $paths 2>/dev/null); do
    case " $seen " in
    *" $f "*) ;;
    *) seen="$seen $f"; told "$f"; tail -n +1 -F "$f" 2>/dev/null | sed "s|^|${f##*/}: |" &
    esac
  done
  sleep 10
done
"""
_FLUENTD = """#!/bin/sh
say() { echo "$(date '+%Y-%m-%d %H:%M:%S +0000') [$1]: $2"; }
told() { say info "#0 following tail of $1"; }
files=$(ls /fluentd/etc/*.conf /etc/fluent/*.conf /etc/fluent/config.d/*.conf 2>/dev/null)
for f in $files; do
  if [ "$(grep -c '^ *<[a-z]' $f)" != "$(grep -c '^ *</' $f)" ]; then
    say error "config error file=\\"$f\\" error_class=Fluent::ConfigParseError error=\\"unexpected end of file\\""
    exit 1
  fi
done
say info "starting fluentd-$FLUENTD_VERSION pid=$$"
paths=$(cat $files /dev/null | sed -n 's/^ *path  *//p' | tr ',\\n' '  ')
say info "#0 fluentd worker is now running worker=0"
"""
_BIT = """#!/bin/sh
told() { echo "[$(date '+%Y/%m/%d %H:%M:%S')] [ info] [input:tail:tail.0] inotify_fs_add(): name=$1"; }
conf=/fluent-bit/etc/fluent-bit.conf
while [ $# -gt 0 ]; do
  case $1 in -c|--config) conf=$2; shift;; esac
  shift
done
echo "Fluent Bit v$FLUENT_BIT_VERSION"
if [ ! -e $conf ]; then
  echo "[$(date '+%Y/%m/%d %H:%M:%S')] [error] [config] could not open configuration file $conf, aborting." >&2
  exit 1
fi
paths=$(sed -n 's/^ *[Pp]ath  *//p' $conf | tr ',\\n' '  ')
echo "[$(date '+%Y/%m/%d %H:%M:%S')] [ info] [sp] stream processor started"
"""
_DEFAULT = "[INPUT]\n    Name cpu\n    Tag cpu.local\n\n[OUTPUT]\n    Name stdout\n    Match *\n"


def _fluentd(repository: str, *names: str) -> Image:
    newest = names[-1]
    return Image(
        repository=repository,
        variants={"latest": Variant(52_000_000, newest), **tags(52_000_000, newest, *names)},
        entrypoint=("/entrypoint.sh",),
        env={"PATH": PATH, "FLUENTD_VERSION": newest.lstrip("v")},
        tools="debian",
        files=lambda variant: {**debian_files(variant), "/entrypoint.sh": _FLUENTD + _FOLLOW},
    )


def _bit(repository: str) -> Image:
    return Image(
        repository=repository,
        since=(1, 8),
        variants={
            **tags(31_000_000, "4.1.1", "latest", "4.1", "4.1.1"),
            **tags(29_000_000, "3.0.7", "3.0", "3.0.7"),
        },
        entrypoint=("/fluent-bit/bin/fluent-bit",),
        env={"PATH": PATH, "FLUENT_BIT_VERSION": "4.1.1"},
        tools="debian",
        files=lambda variant: {
            **debian_files(variant),
            "/fluent-bit/bin/fluent-bit": _BIT + _FOLLOW,
            "/fluent-bit/etc/fluent-bit.conf": _DEFAULT,
        },
    )


IMAGES: tuple[Image, ...] = (
    _fluentd("docker.io/fluent/fluentd", "v0.14.10", "v1.16-1", "v1.18-1"),
    _fluentd(
        "docker.io/fluent/fluentd-kubernetes-daemonset",
        "v1-debian-elasticsearch",
        "v1.18-debian-forward-1",
    ),
    _fluentd("registry.k8s.io/fluentd-elasticsearch", "v2.2.0", "v2.4.0"),
    _fluentd("quay.io/fluentd_elasticsearch/fluentd", "v2.5.2", "v5.0.1"),
    _fluentd("registry.k8s.io/fluentd-gcp", "1.30", "2.0"),
    _bit("docker.io/fluent/fluent-bit"),
    _bit("cr.fluentbit.io/fluent/fluent-bit"),
)
