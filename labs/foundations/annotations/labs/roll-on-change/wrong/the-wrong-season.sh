# fails: winter
kubectl create configmap timetable-winter "--from-literal=text={{line}} line, spring"
kubectl patch deployment display --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/env/0/valueFrom/configMapKeyRef/name", "value": "timetable-winter"}]'
kubectl annotate deployment display kubernetes.io/change-cause="winter timetable"
kubectl rollout status deployment/display --timeout=120s
sleep 10
