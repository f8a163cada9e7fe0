# fails: not-forced
cat > forced.json <<'END'
{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "{{season}}"}, "spec": {"finalizers": []}}
END
kubectl replace --raw /api/v1/namespaces/{{season}}/finalize -f forced.json
for n in 1 2 3; do
  kubectl create configmap programme-$n -n archive "--from-literal=play=play of programme-$n" --from-literal=nights=12
  kubectl patch configmap programme-$n -n {{season}} --type=merge -p '{"metadata":{"finalizers":[]}}'
done
sleep 5
