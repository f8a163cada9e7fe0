# fails: lives served
kubectl label pods -l app={{sorting}} serves=mail
kubectl set selector service {{sorting}} serves=mail
sed -i 's/labels: .*/labels: {serves: mail}/; s/nginx:1.28/nginx:none/' trial.yaml
kubectl apply -f trial.yaml
sleep 10
