for side in east west; do
  kubectl get pod board-main -o yaml > board.yaml
  sed -i "s/^  name: board-main/  name: board-$side/; /nodeName/d; /^  uid/d; /resourceVersion/d" board.yaml
  kubectl delete pod board-$side
  kubectl create -f board.yaml
done
kubectl wait --for=condition=Ready pod -l app=board --timeout=60s
sleep 10
