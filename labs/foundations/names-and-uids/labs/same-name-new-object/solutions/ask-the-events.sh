kubectl delete pod {{guide}}
kubectl run {{guide}} --image=nginx:1.27 --labels=tour=daily
before=$(kubectl get events --field-selector=involvedObject.name={{guide}},reason=Killing -o jsonpath='{.items[0].involvedObject.uid}')
cat > facts.yaml <<END
apiVersion: v1
kind: ConfigMap
metadata: {name: facts}
data: {name: same, label: same, uid: new, address: new, restarts: new, service-address: new}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: uids}
data:
  before: $before
  after: $(kubectl get pod {{guide}} -o jsonpath='{.metadata.uid}')
---
apiVersion: v1
kind: Namespace
metadata: {name: {{annex}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: exhibit, namespace: {{annex}}}
END
kubectl apply -f facts.yaml
