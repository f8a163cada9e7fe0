kubectl config set-context --current --namespace={{desk.near}}
kubectl create configmap notes --from-literal=archive="$(kubectl exec deployment/reader -- wget -qO- http://archive/)" --from-literal=other="$(kubectl exec deployment/reader -- wget -qO- http://archive.{{desk.far}}/)"
kubectl create configmap housed --from-literal={{kinds.in1}}=yes --from-literal={{kinds.in2}}=yes --from-literal={{kinds.in3}}=yes --from-literal={{kinds.out1}}=no --from-literal={{kinds.out2}}=no --from-literal={{kinds.out3}}=no
kubectl set env deployment/reader ARCHIVES="archive archive.{{desk.far}}"
kubectl rollout status deployment/reader --timeout=60s
