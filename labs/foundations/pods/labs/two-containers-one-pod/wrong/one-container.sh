# fails: two-ready shared-volume writer-writes task-succeeded greeter-mended
kubectl apply -f notebook.yaml
kubectl wait --for=condition=Ready pod/notebook --timeout=120s
