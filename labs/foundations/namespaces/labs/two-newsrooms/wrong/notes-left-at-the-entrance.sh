# fails: own-page other-page sorted
kubectl create configmap notes --from-literal=archive="{{page.near}}" --from-literal=other="{{page.far}}"
kubectl create configmap housed --from-literal={{kinds.in1}}=yes --from-literal={{kinds.in2}}=yes --from-literal={{kinds.in3}}=yes --from-literal={{kinds.out1}}=no --from-literal={{kinds.out2}}=no --from-literal={{kinds.out3}}=no
kubectl set env deployment/reader -n {{desk.near}} ARCHIVES="archive archive.{{desk.far}}"
kubectl rollout status deployment/reader -n {{desk.near}} --timeout=60s
