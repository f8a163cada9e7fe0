# fails: births
# after: ask-by-command.sh
kubectl label deployment births office-
