# fails: labelled even hard machines no-wish
kubectl patch deployment {{boats}} --type=json -p '[{"op": "add", "path": "/spec/template/spec/topologySpreadConstraints", "value": [{"maxSkew": 1, "topologyKey": "pier", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "{{boats}}"}}, "matchLabelKeys": ["pod-template-hash"]},
  {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": {"app": "{{boats}}"}}, "matchLabelKeys": ["pod-template-hash"]}]}]'
sleep 30
sleep 5
