# fails: crane
# after: set-image-and-patch.sh
kubectl set image deployment/crane crane=redis:{{tag}}
