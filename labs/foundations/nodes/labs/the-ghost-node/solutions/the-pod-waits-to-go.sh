kubectl apply -f ship.yaml -f crew.yaml
sleep 120
kubectl delete pod crew --wait=false
sleep 60
kubectl delete node {{ship}}
kubectl wait --for=delete pod/crew --timeout=300s
kubectl run crew --image=nginx:1.27 --labels=fleet=north
kubectl wait --for=condition=Ready pod/crew --timeout=60s
cat > forecast.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: forecast}
data: {ready: Unknown, phase: Pending, scheduler: "no", ten-minutes: Terminating}
END
kubectl apply -f forecast.yaml
