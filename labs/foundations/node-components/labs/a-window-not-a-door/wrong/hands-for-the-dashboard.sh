# fails: no-hands no-secrets
# after: ready-made-roles.sh
kubectl create clusterrolebinding hands --clusterrole=edit --serviceaccount={{office}}:window
