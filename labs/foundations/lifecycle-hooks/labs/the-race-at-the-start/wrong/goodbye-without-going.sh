# fails: farewell
kubectl create configmap race --from-literal=order=no --from-literal=failing=yes --from-literal=ended=no --from-literal=term={{hook}} --from-literal=kill={{end}}
sed -i 's/Seconds: 5/Seconds: 300/' runner.yaml
cat >> runner.yaml <<'END'
      command: [sh, -c, "nginx; sleep 86400"]
      lifecycle:
        preStop:
          exec:
            command: [sh, -c, "sleep {{collect}}; wget -q -O /dev/null http://receiver/goodbye"]
END
kubectl replace --force -f runner.yaml
kubectl wait --for=condition=Ready pod/runner --timeout=60s
