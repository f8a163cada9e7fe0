# fails: left-alone
kubectl get pod board-main -o yaml > board.yaml
for side in east west main; do
  sed "s/^  name: board-main/  name: board-$side/; /nodeName/d; /^  uid/d; /resourceVersion/d" board.yaml > new.yaml
  kubectl delete pod board-$side
  kubectl create -f new.yaml
done
kubectl wait --for=condition=Ready pod -l app=board --timeout=60s
sleep 10
