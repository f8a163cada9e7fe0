# fails: back
# after: the-machine-is-given-up.sh
kubectl set image statefulset/{{gauge}} web=nginx:none
sleep 30
