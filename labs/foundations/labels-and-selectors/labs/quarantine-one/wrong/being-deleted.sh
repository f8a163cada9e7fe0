# fails: alive
kubectl label pod {{sick}} app=quotes-case case={{case}} --overwrite
kubectl patch pod {{sick}} -p '{"metadata":{"finalizers":["example.com/experts"]}}'
kubectl delete pod {{sick}} --wait=false
kubectl wait --for=jsonpath='{.status.readyReplicas}'=4 replicaset/quotes --timeout=120s
sleep 40
