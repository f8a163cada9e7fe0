kubectl create configmap race --from-literal=order=no --from-literal=failing=yes --from-literal=ended=no --from-literal=term={{hook}} --from-literal=kill={{end}}
sed -i 's/Seconds: 5/Seconds: 30/' runner.yaml
cat >> runner.yaml <<'END'
      command: [sh, -c, "trap 'sleep {{collect}}; wget -q -O /dev/null http://receiver/goodbye; exit 0' TERM QUIT; nginx; while true; do sleep 1; done"]
END
kubectl replace --force -f runner.yaml
kubectl wait --for=condition=Ready pod/runner --timeout=60s
