# fails: sealed
# after: into-the-right-class.sh
kubectl patch deployment {{case.place}} --type=merge -p '{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}}}'
kubectl set image deployment/{{case.place}} web=nginx:none
sleep 20
