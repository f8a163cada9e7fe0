# fails: pulls frozen
# after: patched.sh
kubectl patch deployment {{film}} -p '{"spec": {"template": {"spec": {"nodeSelector": {"dark": "room"}}}}}'
kubectl patch deployment {{print}} -p '{"spec": {"template": {"spec": {"nodeSelector": {"dark": "room"}}}}}'
sleep 5
