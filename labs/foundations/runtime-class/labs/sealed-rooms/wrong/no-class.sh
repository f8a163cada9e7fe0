# fails: class sealed charged
kubectl patch deployment candidate -p '{"spec": {"template": {"spec": {"runtimeClassName": "sealed"}}}}'
sleep 10
