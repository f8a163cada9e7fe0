# fails: pumps-ran
kubectl patch daemonset log-agent --type=merge -p '{"spec": {"template": {"spec": {"tolerations": [{"operator": "Exists"}]}}}}'
kubectl rollout status daemonset/log-agent --timeout=120s
kubectl rollout restart deployment/pumps
kubectl rollout status deployment/pumps --timeout=120s
sleep 40
