# fails: loaded
# after: the-machine-starts-again.sh
kubectl patch deployment {{goods}} -p '{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}}}'
kubectl set image deployment/{{goods}} web=nginx:none
sleep 30
