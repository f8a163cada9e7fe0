cat > ordering.yaml <<'END'
apiVersion: v1
kind: ServiceAccount
metadata: {name: till, namespace: {{school}}}
automountServiceAccountToken: true
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: {{school}}}
automountServiceAccountToken: false
END
kubectl apply -f ordering.yaml
kubectl patch deployment ordering -n {{school}} -p '{"spec": {"template": {"spec": {"serviceAccountName": "till", "automountServiceAccountToken": true}}}}'
for name in menu-north {{other}}; do kubectl patch deployment $name -n {{school}} -p '{"spec": {"template": {"spec": {"automountServiceAccountToken": false}}}}'; done
for name in menu-north {{other}} ordering; do kubectl rollout status deployment/$name -n {{school}} --timeout=120s; done
sleep 10
