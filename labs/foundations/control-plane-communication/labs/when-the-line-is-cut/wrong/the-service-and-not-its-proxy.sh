# fails: shore
# after: killed-while-cut.sh
kubectl patch role look --type=json -p '[{"op": "replace", "path": "/rules/0/resources", "value": ["services"]}]'
