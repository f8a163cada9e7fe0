# fails: full
# after: one-big-pod.sh
kubectl delete pod hold --grace-period=1
sed -i 's/nginx:1.27/nginx:none/' cargo.yaml
kubectl apply -f cargo.yaml
sleep 20
