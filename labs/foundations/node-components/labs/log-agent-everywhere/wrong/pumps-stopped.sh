# fails: pumps-ran
kubectl scale deployment/pumps --replicas=0
kubectl patch daemonset log-agent --type=merge -p '{"spec": {"template": {"spec": {"tolerations": [{"operator": "Exists"}]}}}}'
kubectl rollout status daemonset/log-agent --timeout=120s
sleep 40
