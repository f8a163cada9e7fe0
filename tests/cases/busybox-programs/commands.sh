#!/usr/bin/env bash
# Fresh cluster, real kubectl; everything goes to one stream.
exec 2>&1
cd "$(dirname "$0")" || exit 1

kubectl apply -f input.yaml; kubectl wait --for=condition=Ready pod/bb
for p in awk dd df du expr free md5sum mount od ping printenv readlink stat tar timeout top uptime; do kubectl exec bb -- which $p >/dev/null 2>&1 || echo -n "$p "; done; echo
echo data > "$HOME/note.txt"; cd "$HOME"; kubectl cp note.txt bb:/note.txt; echo rc=$?
