kubectl patch service pager --type=json -p '[
  {"op": "replace", "path": "/spec/selector", "value": {"app": "pager"}},
  {"op": "replace", "path": "/spec/ports/0/targetPort", "value": "web"}
]'
sleep 10
