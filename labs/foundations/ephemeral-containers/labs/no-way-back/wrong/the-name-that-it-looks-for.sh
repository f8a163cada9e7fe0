# fails: finding
# after: a-copy-that-stays.sh
kubectl patch configmap finding -p '{"data": {"file": "{{plan}}.conf"}}'
