# fails: narrow
# after: a-rule-of-its-own.sh
kubectl patch deployment {{faculty}} -p '{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}, "template": {"spec": {"topologySpreadConstraints": [{"maxSkew": 2, "topologyKey": "floor", "whenUnsatisfiable": "DoNotSchedule"}]}}}}'
kubectl rollout status deployment/{{faculty}} --timeout=120s
sleep 5
