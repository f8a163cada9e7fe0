kubectl create configmap catalogue --from-literal=lots={{seeds}}
uid=$(kubectl get deployment {{vault}} -o jsonpath='{.metadata.uid}')
kubectl patch configmap catalogue --type=merge -p '{"metadata": {"ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "{{vault}}", "uid": "'$uid'"}]}}'
