# fails: class
# after: rooms-with-a-label.sh
kubectl delete runtimeclass sealed
