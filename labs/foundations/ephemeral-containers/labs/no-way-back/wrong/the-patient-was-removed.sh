# fails: instruments alone
kubectl create configmap finding --from-literal=file={{plan}}.{{ending}}
kubectl delete pod bridge --now
