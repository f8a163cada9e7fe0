# fails: winter undo
kubectl create configmap timetable-winter "--from-literal=text={{line}} line, winter"
kubectl annotate deployment display kubernetes.io/change-cause="winter timetable"
kubectl run display-winter --image=busybox:1.36 --labels=app=display -- sh -c 'while true; do echo "{{line}} line, winter"; sleep 5; done'
sleep 20
