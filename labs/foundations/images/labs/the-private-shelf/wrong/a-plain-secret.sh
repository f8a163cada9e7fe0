# fails: fetched kept
kubectl create secret generic shelf -n {{library}} --from-literal=username=janedoe --from-literal=password=letmein
kubectl patch deployment reader -n {{library}} -p '{"spec": {"template": {"spec": {"imagePullSecrets": [{"name": "shelf"}]}}}}'
sleep 30
