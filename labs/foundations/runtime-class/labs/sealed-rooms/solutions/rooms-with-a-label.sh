kubectl label node {{rooms.one}} {{rooms.two}} rooms=sealed
cat > class.yaml <<'END'
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: sealed}
handler: runc
scheduling: {nodeSelector: {rooms: sealed}}
overhead: {podFixed: {cpu: {{cpu}}}}
END
kubectl apply -f class.yaml
kubectl patch deployment candidate -p '{"spec": {"template": {"spec": {"runtimeClassName": "sealed"}}}}'
kubectl rollout status deployment/candidate --timeout=120s
