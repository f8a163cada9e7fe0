# fails: now-a next-change
kubectl get pod board-main -o yaml > board.yaml
sed -i "s/^  name: board-main/  name: board-west/; /nodeName/d; /^  uid/d; /resourceVersion/d" board.yaml
kubectl delete pod board-west
kubectl create -f board.yaml
kubectl wait --for=condition=Ready pod -l app=board --timeout=60s
sleep 10
