# fails: never-open
# after: into-the-right-class.sh
kubectl run trial --image=nginx:1.27 --labels=office=filing --overrides='{"spec": {"nodeName": "{{room}}"}}'
kubectl wait --for=condition=Ready pod/trial --timeout=120s
kubectl delete pod trial --now
