# fails: reason
kubectl create configmap timetable-winter "--from-literal=text={{line}} line, winter"
kubectl patch deployment display --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/env/0/valueFrom/configMapKeyRef/name", "value": "timetable-winter"}]'
kubectl rollout status deployment/display --timeout=120s
sleep 10
