# fails: sorter fenced
# after: by-commands.sh
for name in sorter {{belt.eater}}; do
  kubectl patch deployment $name -p '{"spec": {"template": {"spec": {"containers": [{"name": "main", "command": ["sh", "-c", "sleep 400; exit 1"]}]}}}}'
done
sleep 30
