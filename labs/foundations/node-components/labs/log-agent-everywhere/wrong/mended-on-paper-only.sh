# fails: covered
kubectl patch daemonset log-agent --type=json -p '[
  {"op": "add", "path": "/spec/updateStrategy", "value": {"type": "OnDelete"}},
  {"op": "add", "path": "/spec/template/spec/tolerations", "value": [{"operator": "Exists"}]},
  {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "busybox:0.0"}
]'
sleep 20
kubectl set image daemonset/log-agent agent=busybox:1.36
sleep 60
