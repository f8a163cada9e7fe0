cat > boards.yaml <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: board-east
  labels: {app: board}
spec:
  terminationGracePeriodSeconds: 1
  volumes:
    - {name: timetable, configMap: {name: timetable}}
  containers:
    - name: board
      image: busybox:1.36
      command: [sh, -c, "while true; do echo {{line}} first at $(cat $0); sleep 5; done", /etc/board/first]
      volumeMounts:
        - {name: timetable, mountPath: /etc/board}
---
apiVersion: v1
kind: Pod
metadata:
  name: board-west
  labels: {app: board}
spec:
  terminationGracePeriodSeconds: 1
  volumes:
    - name: timetable
      projected: {sources: [{configMap: {name: timetable}}]}
  containers:
    - name: board
      image: busybox:1.36
      command: [sh, -c, "while true; do FIRST=$(cat /t/first); echo {{line}} first at $FIRST; sleep 5; done"]
      volumeMounts:
        - {name: timetable, mountPath: /t}
END
kubectl replace --force -f boards.yaml
kubectl wait --for=condition=Ready pod -l app=board --timeout=60s
sleep 10
