# fails: answers
# after: expose-anew.sh
for pod in $(kubectl get pods -l app=pager -o name); do
  kubectl exec $pod -- sh -c 'echo closed > /usr/share/nginx/html/index.html'
done
