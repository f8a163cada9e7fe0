# fails: class sealed
kubectl label node {{rooms.one}} {{rooms.two}} rooms=sealed
cat > class.yaml <<'END'
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: sealed}
handler: kata
scheduling: {nodeSelector: {rooms: sealed}}
overhead: {podFixed: {cpu: {{cpu}}}}
END
kubectl apply -f class.yaml
kubectl patch deployment candidate -p '{"spec": {"template": {"spec": {"runtimeClassName": "sealed"}}}}'
sleep 20
