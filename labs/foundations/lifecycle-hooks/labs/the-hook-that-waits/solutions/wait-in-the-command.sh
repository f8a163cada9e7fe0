kubectl patch deployment {{oven}} --type=json -p '[{"op": "remove", "path": "/spec/template/spec/containers/0/lifecycle"},
  {"op": "replace", "path": "/spec/template/spec/containers/0/command", "value": ["sh", "-c", "until nc -z localhost 80; do echo waiting for the dough; sleep 1; done\nlost=0\nuntil tray=$(wget -q -O - -T 2 http://localhost/ | grep -m 1 Welcome); do lost=$((lost + 1)); sleep 2; done\necho \"first tray after $lost lost orders: $tray\"\nsleep 86400"]}]'
kubectl rollout status deployment/{{oven}} --timeout=120s
sleep 20
