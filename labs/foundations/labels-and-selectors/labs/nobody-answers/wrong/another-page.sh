# fails: answers follows
kubectl delete service pager
kubectl create deployment other --image=registry.k8s.io/e2e-test-images/agnhost:2.53 -- /agnhost netexec --http-port=80
kubectl expose deployment other --name=pager --port=80
kubectl rollout status deployment/other --timeout=120s
