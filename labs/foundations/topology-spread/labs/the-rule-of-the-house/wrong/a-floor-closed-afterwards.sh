# fails: even narrow
# after: only-open-floors.sh
kubectl cordon worker-2
