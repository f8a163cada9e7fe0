# fails: wish
# after: as-the-steps-say.sh
kubectl replace -f by-wish.yaml
