# fails: never-fewer undo summer-kept
kubectl patch configmap timetable --type=merge -p '{"data": {"text": "{{line}} line, winter"}}'
kubectl annotate deployment display kubernetes.io/change-cause="winter timetable"
kubectl scale deployment/display --replicas=0
kubectl wait --for=delete pod -l app=display --timeout=60s
kubectl scale deployment/display --replicas=4
kubectl rollout status deployment/display --timeout=120s
sleep 10
