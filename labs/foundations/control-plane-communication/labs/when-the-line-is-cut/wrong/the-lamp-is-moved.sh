# fails: mended
# after: killed-while-cut.sh
kubectl delete pod {{lamp}}
kubectl run {{lamp}} --image=nginx:1.27 --labels=app={{lamp}} --overrides='{"spec": {"nodeSelector": {"kubernetes.io/hostname": "{{rig.other}}"}, "containers": [{"name": "web", "image": "nginx:1.27"}]}}'
kubectl wait --for=condition=Ready pod/{{lamp}} --timeout=60s
fault kill {{lamp}}
sleep 20
fault link {{rig.node}} cut
sleep 90
