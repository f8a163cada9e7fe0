# fails: selectable
# after: by-command.sh
kubectl patch deployment harbour -p '{"spec": {"template": {"metadata": {"labels": {"decade": "{{decade.middle}}"}}}}}'
kubectl rollout status deployment/harbour --timeout=60s
