# fails: gone
# after: the-pod-waits-to-go.sh
kubectl apply -f ship.yaml
