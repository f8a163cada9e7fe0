# fails: archive
# after: mend-the-forms.sh
kubectl delete pod archive --now
kubectl run archive --image=nginx:1.27 --labels=app=archive
kubectl wait --for=condition=Ready pod/archive --timeout=120s
