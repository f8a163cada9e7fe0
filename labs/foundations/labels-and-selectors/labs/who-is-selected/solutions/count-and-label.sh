count() { kubectl get pods -l "$1" -o name | wc -l; }
kubectl create configmap counts --from-literal=one=$(count '{{ask.one}}') --from-literal=two=$(count '{{ask.two}}') --from-literal=three=$(count '{{ask.three}}') --from-literal=four=$(count '{{ask.four}}') --from-literal=five=$(count '{{ask.five}}') --from-literal=six=$(count '{{ask.six}}')
kubectl label pod bed-02 {{key}}=daily
kubectl label pod bed-05 {{key}}=daily --overwrite
kubectl label pod bed-07 closed-
