# fails: next-change
for side in east west; do
  kubectl get pod board-$side -o yaml > board.yaml
  kubectl replace --force -f board.yaml
done
kubectl wait --for=condition=Ready pod -l app=board --timeout=60s
sleep 10
