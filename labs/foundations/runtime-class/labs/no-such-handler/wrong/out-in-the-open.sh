# fails: sealed never-open
kubectl create configmap stations --from-literal={{case.slip}}=admission --from-literal={{case.handler}}=kubelet --from-literal={{case.place}}=scheduler
for team in {{case.slip}} {{case.handler}} {{case.place}}; do kubectl patch deployment $team -p '{"spec": {"template": {"spec": {"runtimeClassName": null, "nodeSelector": {"kubernetes.io/os": "linux"}}}}}'; done
for team in {{case.slip}} {{case.handler}} {{case.place}}; do kubectl scale deployment $team --replicas=2; kubectl rollout status deployment/$team --timeout=120s; done
sleep 5
