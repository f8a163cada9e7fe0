# fails: paused
# after: delete-the-owner.sh
kubectl patch configmap paused -p '{"data": {"rolls": "yes"}}'
