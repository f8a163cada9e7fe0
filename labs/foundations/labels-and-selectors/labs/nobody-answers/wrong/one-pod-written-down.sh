# fails: follows
ip=$(kubectl get pods -l app=pager -o jsonpath='{.items[0].status.podIP}')
kubectl delete service pager
cat > pager.yaml <<END
apiVersion: v1
kind: Service
metadata: {name: pager}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: pager-by-hand
  labels: {kubernetes.io/service-name: pager}
addressType: IPv4
ports: [{name: "", port: 80, protocol: TCP}]
endpoints: [{addresses: ["$ip"]}]
END
kubectl apply -f pager.yaml
sleep 5
