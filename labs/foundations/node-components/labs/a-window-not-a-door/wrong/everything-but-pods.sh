# fails: sees
# after: roles-of-its-own.sh
kubectl patch clusterrole looks --type=json -p '[{"op": "remove", "path": "/rules/0/resources/0"}]'
