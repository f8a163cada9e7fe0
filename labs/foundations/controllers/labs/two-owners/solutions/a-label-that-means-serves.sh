kubectl label pods -l app={{sorting}} serves=mail
kubectl patch replicaset {{sorting}} --type=merge -p '{"spec": {"template": {"metadata": {"labels": {"serves": "mail"}}}}}'
kubectl set selector service {{sorting}} serves=mail
sed -i 's/labels: .*/labels: {serves: mail}/' trial.yaml
kubectl apply -f trial.yaml
kubectl wait --for=condition=Ready pod/trial --timeout=60s
sleep 3
