# fails: sees-team
# after: roles-of-its-own.sh
kubectl patch clusterrole looks --type=json -p '[{"op": "replace", "path": "/rules/0/verbs", "value": ["get", "list"]}]'
