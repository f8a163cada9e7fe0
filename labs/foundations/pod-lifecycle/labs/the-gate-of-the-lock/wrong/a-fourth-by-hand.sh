# fails: gated
# after: all-at-once.sh
kubectl run spare --image=nginx:1.27 --labels=app={{lock}} --overrides='{"spec": {"readinessGates": [{"conditionType": "{{canal.gate}}"}]}}'
sleep 20
