# fails: heals
# after: apply-the-file.sh
kubectl cordon worker-1 worker-2
