# fails: report back
# after: the-machine-is-given-up.sh
kubectl delete statefulset {{gauge}}
kubectl patch configmap report -p '{"data": {"ready": "False", "evicted": "30"}}'
sleep 10
