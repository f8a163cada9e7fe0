# fails: undo summer-kept
kubectl patch configmap timetable --type=merge -p '{"data": {"text": "{{line}} line, winter"}}'
kubectl annotate deployment display kubernetes.io/change-cause="winter timetable"
kubectl rollout restart deployment/display
kubectl rollout status deployment/display --timeout=120s
sleep 10
