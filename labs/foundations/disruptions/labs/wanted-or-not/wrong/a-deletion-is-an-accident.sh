# fails: sorted
# after: never-together.sh
kubectl patch configmap losses -p '{"data": {"delete": "involuntary"}}'
