kubectl create configmap seconds --from-literal=shell=30 --from-literal=listens=0 --from-literal=short={{grace}} --from-literal=hook={{hook}} --from-literal=ended=no
kubectl get pod desk -o yaml > desk.yaml
sed -i 's/- sh \/desk.sh; echo closed/- exec sh \/desk.sh/' desk.yaml
kubectl replace --force -f desk.yaml
kubectl wait --for=condition=Ready pod/desk --timeout=60s
