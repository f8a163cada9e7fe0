# fails: instruments finding
kubectl create configmap finding --from-literal=file={{plan}}.conf
