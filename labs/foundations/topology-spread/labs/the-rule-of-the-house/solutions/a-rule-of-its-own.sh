kubectl create configmap report --from-literal=written-in=defaultConstraints --from-literal=type=List --from-literal=bare-pod=no --from-literal=own-rule=no --from-literal=built-in=ScheduleAnyway
kubectl patch deployment {{faculty}} -p '{"spec": {"template": {"spec": {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "floor", "whenUnsatisfiable": "DoNotSchedule", "nodeTaintsPolicy": "Honor", "labelSelector": {"matchLabels": {"app": "{{faculty}}"}}, "matchLabelKeys": ["pod-template-hash"]}]}}}}'
kubectl rollout status deployment/{{faculty}} --timeout=120s
sleep 5
