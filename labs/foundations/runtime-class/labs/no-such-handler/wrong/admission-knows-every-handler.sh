# fails: stations
# after: into-the-right-class.sh
kubectl patch configmap stations -p '{"data": {"{{case.handler}}": "admission"}}'
