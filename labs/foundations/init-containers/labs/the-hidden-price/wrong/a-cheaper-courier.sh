# fails: nothing-cheaper
# after: the-step-goes-first.sh
kubectl patch deployment {{press}} -p '{"spec": {"template": {"spec": {"initContainers": [{"name": "courier", "resources": {"requests": {"cpu": "100m"}}}]}}}}'
kubectl rollout status deployment/{{press}} --timeout=120s
sleep 3
