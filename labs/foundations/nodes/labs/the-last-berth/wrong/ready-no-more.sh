# fails: full
# after: one-big-pod.sh
kubectl delete pod hold --grace-period=1
sed -i 's/      image: nginx:1.27/      image: nginx:1.27\n      readinessProbe: {exec: {command: ["false"]}}/' cargo.yaml
kubectl apply -f cargo.yaml
sleep 20
