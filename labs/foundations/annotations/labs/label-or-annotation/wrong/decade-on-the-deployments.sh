# fails: selectable
# after: by-command.sh
kubectl patch deployment glacier --type=json -p '[{"op": "remove", "path": "/spec/template/metadata/labels/decade"}]'
kubectl label deployment glacier decade={{decade.old}}
kubectl annotate deployment glacier decade-
kubectl rollout status deployment/glacier --timeout=60s
