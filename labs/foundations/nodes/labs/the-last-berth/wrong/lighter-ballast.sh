# fails: full ballast-stays
# after: one-big-pod.sh
kubectl set resources deployment ballast --requests=cpu=100m
sleep 30
