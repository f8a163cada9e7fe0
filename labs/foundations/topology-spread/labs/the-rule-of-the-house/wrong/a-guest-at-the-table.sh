# fails: all-run
# after: a-rule-of-its-own.sh
kubectl run guest --image=nginx:1.27 --labels=app={{faculty}} --overrides='{"spec": {"nodeName": "worker-1"}}'
kubectl wait --for=condition=Ready pod/guest --timeout=60s
