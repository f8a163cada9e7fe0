# fails: recommended
# after: by-command.sh
kubectl label deployments --all app.kubernetes.io/part-of- part-of=film-archive
