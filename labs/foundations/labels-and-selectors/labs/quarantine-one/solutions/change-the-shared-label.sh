sick=$(for pod in $(kubectl get pods -l app=quotes -o name); do kubectl exec $pod -- cat /usr/share/nginx/html/index.html | grep -q penny && echo $pod; done)
kubectl label $sick app=quotes-case case={{case}} --overwrite
kubectl wait --for=jsonpath='{.status.readyReplicas}'=4 replicaset/quotes --timeout=120s
sleep 5
