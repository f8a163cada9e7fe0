# fails: was-cut
kubectl create configmap forecast --from-literal=logs=no --from-literal=exec=no --from-literal=proxy=no --from-literal=neighbours=yes --from-literal=restart=yes --from-literal=new-pod=no --from-literal=heir=konnectivity --from-literal=dials=node
kubectl delete pod {{lamp}}
kubectl run {{lamp}} --image=nginx:1.27 --labels=app={{lamp}} --overrides='{"spec": {"nodeSelector": {"kubernetes.io/hostname": "{{rig.other}}"}, "containers": [{"name": "web", "image": "nginx:1.27"}]}}'
kubectl wait --for=condition=Ready pod/{{lamp}} --timeout=60s
fault link {{rig.node}} cut
sleep 70
fault kill {{lamp}}
sleep 20
fault link {{rig.node}} healed
sleep 60
kubectl create role look --verb=get --resource=services/proxy --resource-name={{lamp}}
kubectl create rolebinding look --role=look --serviceaccount=default:shore
