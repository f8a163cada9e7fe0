kubectl patch configmap timetable --type=merge -p '{"data": {"winter": "{{line}} line, winter"}}'
kubectl annotate deployment display kubernetes.io/change-cause="Winter begins"
kubectl patch deployment display --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/env/0/valueFrom/configMapKeyRef/key", "value": "winter"}]'
kubectl rollout status deployment/display --timeout=120s
sleep 10
