# fails: hard no-wish
kubectl label node worker-4 pier=south
kubectl delete deployment {{boats}}
n=0
for node in worker-1 worker-1 worker-2 worker-3 worker-4 worker-4; do
  n=$((n+1))
  kubectl run {{boats}}-$n --image=nginx:1.27 --labels=app={{boats}} --overrides='{"spec": {"nodeName": "'$node'"}}'
done
kubectl create deployment {{boats}} --image=nginx:1.27 --replicas=0
kubectl wait --for=condition=Ready pod -l app={{boats}} --timeout=60s
