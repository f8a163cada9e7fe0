# fails: deeds
# after: ask-by-command.sh
kubectl delete deployment deeds
