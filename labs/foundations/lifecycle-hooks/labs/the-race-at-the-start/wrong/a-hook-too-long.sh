# fails: farewell
kubectl create configmap race --from-literal=order=no --from-literal=failing=yes --from-literal=ended=no --from-literal=term={{hook}} --from-literal=kill={{end}}
cat >> runner.yaml <<'END'
      lifecycle:
        preStop:
          exec:
            command: [sh, -c, "sleep {{collect}}; wget -q -O /dev/null http://receiver/goodbye"]
END
kubectl replace --force -f runner.yaml
kubectl wait --for=condition=Ready pod/runner --timeout=60s
