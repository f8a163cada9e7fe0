# fails: forecast landed
kubectl create configmap forecast --from-literal=running=3 --from-literal=waiting={{waiting}} --from-literal=running-with-2=4 --from-literal=fourth-zone=2
kubectl scale deployment {{hub}} --replicas=2
sleep 5
