# fails: gate crane yard
kubectl delete deployment gate crane yard
for name in gate crane yard; do kubectl create deployment $name --image=busybox:1.36 -- sleep 86400; done
for name in gate crane yard; do kubectl rollout status deployment/$name --timeout=120s; done
