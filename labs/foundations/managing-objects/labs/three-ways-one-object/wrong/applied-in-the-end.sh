# fails: file
# after: as-the-steps-say.sh
kubectl apply -f by-file.yaml
