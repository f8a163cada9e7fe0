# fails: winter undo summer-kept
kubectl patch configmap timetable --type=merge -p '{"data": {"text": "{{line}} line, winter"}}'
kubectl annotate deployment display kubernetes.io/change-cause="winter timetable"
sleep 60
