# fails: alive
kubectl delete pod {{sick}}
kubectl run {{sick}} --image=nginx:1.27 --labels=case={{case}}
kubectl wait --for=condition=Ready pod/{{sick}} --timeout=120s
sleep 5
