# fails: fenced
# after: by-commands.sh
kubectl patch deployment {{belt.eater}} --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/resources", "value": {"requests": {"memory": "256Mi"}}}]'
sleep 60
