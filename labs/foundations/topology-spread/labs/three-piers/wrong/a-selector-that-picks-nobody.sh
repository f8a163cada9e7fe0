# fails: even hard machines no-wish
kubectl label node worker-4 pier=south
kubectl patch deployment {{boats}} --type=json -p '[{"op": "add", "path": "/spec/template/spec/topologySpreadConstraints", "value": [{"maxSkew": 1, "topologyKey": "pier", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "boat"}}, "matchLabelKeys": ["pod-template-hash"]}]}]'
kubectl rollout status deployment/{{boats}} --timeout=120s
sleep 5
