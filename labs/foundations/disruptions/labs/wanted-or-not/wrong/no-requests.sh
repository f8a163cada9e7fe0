# fails: requests
kubectl create configmap losses --from-literal=drain=voluntary --from-literal=rollout=voluntary --from-literal=delete=voluntary --from-literal=fire=involuntary --from-literal=pressure=involuntary --from-literal=network=involuntary --from-literal=asks=drain
kubectl patch deployment {{plan}} -p '{"spec": {"template": {"spec": {"nodeSelector": null, "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule", "nodeTaintsPolicy": "Honor", "matchLabelKeys": ["pod-template-hash"], "labelSelector": {"matchLabels": {"app": "{{plan}}"}}}]}}}}'
kubectl rollout status deployment/{{plan}} --timeout=60s
sleep 5
