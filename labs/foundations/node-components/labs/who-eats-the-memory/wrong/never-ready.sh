# fails: sorter fenced
# after: by-commands.sh
for name in sorter {{belt.eater}}; do
  kubectl patch deployment $name -p '{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}, "template": {"spec": {"containers": [{"name": "main", "readinessProbe": {"exec": {"command": ["false"]}}}]}}}}'
done
sleep 30
