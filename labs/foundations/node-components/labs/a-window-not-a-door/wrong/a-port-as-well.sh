# fails: no-way-in
# after: ready-made-roles.sh
kubectl patch service dashboard -n {{office}} -p '{"spec": {"type": "NodePort"}}'
