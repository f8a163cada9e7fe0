# fails: note
# after: by-commands.sh
kubectl patch configmap note -p '{"data": {"eater": "sorter"}}'
