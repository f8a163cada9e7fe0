# fails: summer-kept
kubectl patch deployment display --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/env/0", "value": {"name": "TIMETABLE", "value": "{{line}} line, summer"}}]'
kubectl rollout status deployment/display --timeout=120s
kubectl create configmap timetable-winter "--from-literal=text={{line}} line, winter"
kubectl delete configmap timetable
kubectl patch deployment display --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/env/0", "value": {"name": "TIMETABLE", "valueFrom": {"configMapKeyRef": {"name": "timetable-winter", "key": "text"}}}}]'
kubectl annotate deployment display kubernetes.io/change-cause="winter timetable"
kubectl rollout status deployment/display --timeout=120s
sleep 10
