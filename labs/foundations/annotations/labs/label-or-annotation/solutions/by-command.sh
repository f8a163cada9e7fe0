kubectl create deployment lantern --image=nginx:1.27
kubectl annotate deployment lantern title="{{fact.title}}"
kubectl patch deployment lantern -p '{"spec": {"template": {"metadata": {"labels": {"decade": "{{decade.middle}}"}}}}}'
kubectl create deployment harbour --image=nginx:1.27
kubectl annotate deployment harbour source="{{fact.source}}"
kubectl patch deployment harbour -p '{"spec": {"template": {"metadata": {"labels": {"decade": "{{decade.young}}"}}}}}'
kubectl create deployment orchard --image=nginx:1.27
kubectl annotate deployment orchard synopsis="{{fact.synopsis}}"
kubectl patch deployment orchard -p '{"spec": {"template": {"metadata": {"labels": {"decade": "{{decade.young}}"}}}}}'
kubectl label deployments --all app.kubernetes.io/part-of=film-archive
kubectl patch deployment glacier -p '{"spec": {"template": {"metadata": {"labels": {"decade": "{{decade.old}}"}}}}}'
kubectl rollout status deployment/glacier --timeout=60s
kubectl rollout status deployment/lantern --timeout=60s
kubectl rollout status deployment/harbour --timeout=60s
kubectl rollout status deployment/orchard --timeout=60s
