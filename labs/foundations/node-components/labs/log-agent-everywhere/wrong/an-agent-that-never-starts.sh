# fails: covered returns
kubectl patch daemonset log-agent --type=json -p '[
  {"op": "add", "path": "/spec/template/spec/tolerations", "value": [{"operator": "Exists"}]},
  {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "busybox:0.0"}
]'
sleep 60
