# fails: sooner
# after: the-machine-is-given-up.sh
kubectl patch deployment board -p '{"spec": {"strategy": {"rollingUpdate": {"maxUnavailable": "100%"}}, "template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"httpGet": {"port": 8080}}}]}}}}'
sleep 30
