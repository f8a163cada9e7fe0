# fails: ledger
# after: by-commands.sh
kubectl patch configmap ledger -p '{"data": {"machine": "{{machine.name}}"}}'
