# fails: report all-run even
kubectl create configmap report --from-literal=written-in=topologySpreadConstraints --from-literal=type=System --from-literal=bare-pod=yes --from-literal=own-rule=yes --from-literal=built-in=DoNotSchedule
kubectl scale deployment {{faculty}} --replicas=2
sleep 10
