"""`kubectl edit`: fetch, open in the editor of the page, put back when that is saved. A script of this machine's shell.

The real one starts an editor of its own, which nothing here may. What it does is done with its own `get` and `replace`
and the flags that were given. Who changed the object meanwhile makes the cluster refuse; the new version is tried then.
"""

from __future__ import annotations

from cluster_engine.linux.sh.base import quote
from cluster_engine.terminal.kubectl import WITH_VALUE

_HEADER = """# Please edit the object below. Lines beginning with a '#' will be ignored.
# Save this file to apply it; press Ctrl-C in the terminal to cancel.
#
"""
_WRITING = ("--field-manager", "--save-config", "--validate")
"""Flags of the writing half alone."""
_WITH_VALUE = ("--field-manager", "--subresource", "-o", "--output", "-f", "-k")
_DROPPED = ("--output-patch", "--windows-line-endings", "--record", "--show-managed-fields")
_SCRIPT = """
file=$HOME/kubectl-edit-{number}.yaml
trap 'rm -f "$file" "$file.before"' EXIT
trap 'rm -f "$file" "$file.before"; trap - INT EXIT; kill -INT $$' INT
printf %s {header} > "$file"
kubectl get {reading} -o yaml >> "$file" || exit
if grep -q '^kind: List$' "$file"; then
  echo "error: name one object to edit" >&2
  exit 1
fi
cp "$file" "$file.before"
while :; do
  edit --wait "$file" || exit
  if cmp -s "$file" "$file.before" || ! grep -qv '^#' "$file"; then
    echo "Edit cancelled, no changes made." >&2
    exit 0
  fi
  tries=0
  while ! said=$(kubectl replace {writing} -f "$file" 2>&1); do
    case $said in
      *"(Conflict)"*)
        tries=$((tries + 1))
        now=$(kubectl get {reading} -o 'jsonpath={{.metadata.resourceVersion}}') || exit
        sed -i 's/^  resourceVersion: .*/  resourceVersion: "'"$now"'"/' "$file"
        [ $tries -lt 5 ] && continue ;;
    esac
    echo "$said" >&2
    echo "Mend it in the editor and save it again; Ctrl-C cancels." >&2
    continue 2
  done
  echo "${{said% replaced}} edited"
  exit 0
done
"""


def script(words: list[str], number: int) -> str:
    """The script for a command line (`kubectl … edit …`). ``number`` makes its file's name."""
    reading: list[str] = []
    writing: list[str] = []
    rest = words[1:]
    rest.remove("edit")
    while rest:
        word = rest.pop(0)
        name, equals, _ = word.partition("=")
        values = [word]
        if not equals and name in (*WITH_VALUE, *_WITH_VALUE):
            values += rest[:1]
            del rest[:1]
        if name in ("-o", "--output", *_DROPPED) or word.startswith("-o"):
            continue
        if name in _WRITING:
            writing += values
            continue
        reading += values
        if word.startswith("-") and name in (*WITH_VALUE, "--subresource", "--insecure-skip-tls-verify"):
            writing += values
    return _SCRIPT.format(
        number=number,
        header=quote(_HEADER),
        reading=" ".join(map(quote, reading)),
        writing=" ".join(map(quote, ["--field-manager=kubectl-edit", *writing])),
    )
