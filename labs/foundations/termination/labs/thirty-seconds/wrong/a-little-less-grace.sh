# fails: honest
# after: no-shell-in-front.sh
kubectl get pod desk -o yaml | sed 's/GracePeriodSeconds: 30/GracePeriodSeconds: 20/' > desk.yaml
kubectl replace --force -f desk.yaml
kubectl wait --for=condition=Ready pod/desk --timeout=60s
