# fails: served
sed -i 's/labels: .*/labels: {app: trial}/' trial.yaml
kubectl apply -f trial.yaml
kubectl expose pod trial --port=80
kubectl wait --for=condition=Ready pod/trial --timeout=60s
