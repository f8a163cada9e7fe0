# fails: lands
# after: by-commands.sh
kubectl patch deployment {{market}} -p '{"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/hostname": "worker-1"}}}}}'
kubectl rollout status deployment/{{market}} --timeout=60s
