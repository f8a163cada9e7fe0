# fails: not-in-the-pods
# after: rooms-with-a-label.sh
kubectl patch deployment candidate -p '{"spec": {"template": {"spec": {"nodeName": "{{rooms.one}}"}}}}'
kubectl rollout status deployment/candidate --timeout=120s
