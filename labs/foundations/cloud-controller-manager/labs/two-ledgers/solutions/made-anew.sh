kubectl delete service {{gone}}
cat > market.yaml <<END
apiVersion: v1
kind: ConfigMap
metadata: {name: ledger}
data: {machine: "$(kubectl get node {{machine.name}} -o jsonpath='{.spec.providerID}')", zones: node, balancers: service, routes: route, writer: cloud-controller-manager, outside: service}
---
apiVersion: v1
kind: Service
metadata: {name: {{gone}}}
spec:
  selector: {app: {{stall}}}
  ports: [{port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: {{stall}}}
spec:
  type: LoadBalancer
  selector: {app: {{stall}}}
  ports: [{port: 80}]
END
kubectl apply -f market.yaml
sleep 20
