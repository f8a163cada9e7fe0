cat > board.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: board}
data:
  running: "{{running}}"
  crashing: "0"
  done: "{{flown}}"
  image: refused
  chained: "1"
  deployments: refused
  kinds: "1"
  types: "1"
END
kubectl apply -f board.yaml
kubectl delete pod $(kubectl get pods -o jsonpath='{.items[?(@.status.phase=="Failed")].metadata.name}')
