# fails: ballast-stays
# after: one-big-pod.sh
kubectl delete pod hold --grace-period=1
kubectl scale deployment ballast --replicas=4
sleep 20
left={{load.left}} each={{load.each}}
sed -i "s/cpu: $left/cpu: $(( ${left%m} - ${each%m} ))m/" cargo.yaml
kubectl apply -f cargo.yaml
sleep 20
