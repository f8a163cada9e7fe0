# fails: even floors-stay
kubectl create configmap report --from-literal=written-in=defaultConstraints --from-literal=type=List --from-literal=bare-pod=no --from-literal=own-rule=no --from-literal=built-in=ScheduleAnyway
kubectl uncordon worker-3
kubectl rollout status deployment/{{faculty}} --timeout=120s
sleep 5
