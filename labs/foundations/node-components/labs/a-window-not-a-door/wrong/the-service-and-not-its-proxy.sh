# fails: opens
# after: ready-made-roles.sh
kubectl patch role page -n {{office}} --type=json -p '[{"op": "replace", "path": "/rules/0/resources", "value": ["services"]}]'
