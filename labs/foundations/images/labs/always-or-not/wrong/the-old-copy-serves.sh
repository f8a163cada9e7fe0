# fails: pulls
# after: patched.sh
kubectl patch deployment {{film}} -p '{"spec": {"paused": true, "template": {"spec": {"containers": [{"name": "web", "command": ["nginx", "-g", "daemon off;"]}]}}}}'
sleep 3
