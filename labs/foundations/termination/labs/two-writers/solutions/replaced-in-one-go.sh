cat > forecast.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: forecast}
data: {listed: "no", writing: "yes", same-name: "yes", both: "yes", confirms: kubelet, finished: "no"}
END
kubectl apply -f forecast.yaml
kubectl get pod scribe -o json | jq '.spec.containers[0].env[0].value = "{{parcel}}" | del(.spec.nodeName, .status)' > new.json
kubectl delete pod scribe --wait=false
kubectl wait --for=delete pod/scribe --timeout=60s
kubectl create -f new.json
kubectl wait --for=condition=Ready pod/scribe --timeout=60s
sleep 5
