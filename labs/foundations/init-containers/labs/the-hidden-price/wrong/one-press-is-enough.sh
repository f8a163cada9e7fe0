# fails: forecast fit
kubectl create configmap price --from-literal=step-first={{price.step}} --from-literal=sidecar-first={{price.step}} --from-literal=no-step=1000m --from-literal=qos=Burstable --from-literal=crash=yes --from-literal=sandbox=yes
kubectl scale deployment {{press}} --replicas=1
sleep 5
