kubectl create configmap stations --from-literal={{case.slip}}=admission --from-literal={{case.handler}}=kubelet --from-literal={{case.place}}=scheduler
for team in {{case.slip}} {{case.handler}} {{case.place}}; do kubectl patch deployment $team -p '{"spec": {"template": {"spec": {"runtimeClassName": "sealed"}}}}'; done
for team in {{case.slip}} {{case.handler}} {{case.place}}; do kubectl rollout status deployment/$team --timeout=120s; done
sleep 5
