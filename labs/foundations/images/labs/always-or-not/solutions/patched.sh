kubectl create configmap policies --from-literal=version=IfNotPresent --from-literal=nothing=Always --from-literal=latest=Always --from-literal=digest=IfNotPresent --from-literal=written=Never --from-literal=changed=IfNotPresent --from-literal=plugin=Always --from-literal=asks=yes
kubectl patch deployment {{film}} -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "imagePullPolicy": "Always"}]}}}}'
image=$(kubectl get pods -l app={{print}} -o jsonpath='{.items[0].status.containerStatuses[0].imageID}')
kubectl set image deployment/{{print}} web=$image
kubectl rollout status deployment/{{film}} --timeout=120s
kubectl rollout status deployment/{{print}} --timeout=120s
