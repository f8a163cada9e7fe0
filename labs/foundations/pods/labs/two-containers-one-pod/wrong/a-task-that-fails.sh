# fails: task-succeeded
# after: write-the-manifests.sh
kubectl delete pod task
kubectl run task --image=busybox:1.36 --restart=Never -- sh -c 'exit 1'
sleep 5
