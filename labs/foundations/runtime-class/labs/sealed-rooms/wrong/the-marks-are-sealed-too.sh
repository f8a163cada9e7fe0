# fails: others
# after: rooms-with-a-label.sh
kubectl patch deployment marks -p '{"spec": {"template": {"spec": {"runtimeClassName": "sealed"}}}}'
kubectl rollout status deployment/marks --timeout=120s
