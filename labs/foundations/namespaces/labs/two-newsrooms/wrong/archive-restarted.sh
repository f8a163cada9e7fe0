# fails: archives-kept
kubectl create configmap notes -n {{desk.near}} --from-literal=archive="{{page.near}}" --from-literal=other="{{page.far}}"
kubectl create configmap housed -n {{desk.near}} --from-literal={{kinds.in1}}=yes --from-literal={{kinds.in2}}=yes --from-literal={{kinds.in3}}=yes --from-literal={{kinds.out1}}=no --from-literal={{kinds.out2}}=no --from-literal={{kinds.out3}}=no
kubectl rollout restart deployment/archive -n {{desk.near}}
kubectl delete pod -l app=archive -n {{desk.far}}
kubectl rollout status deployment/archive -n {{desk.far}} --timeout=60s
kubectl set env deployment/reader -n {{desk.near}} ARCHIVES="archive archive.{{desk.far}}"
kubectl rollout status deployment/reader -n {{desk.near}} --timeout=60s
