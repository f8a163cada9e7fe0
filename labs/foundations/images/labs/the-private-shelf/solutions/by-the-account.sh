auth=$(printf 'janedoe:letmein' | base64)
cat > shelf.yaml <<END
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: {{library}}}
type: kubernetes.io/dockerconfigjson
stringData:
  .dockerconfigjson: '{"auths": {"registry.example.com": {"auth": "$auth"}}}'
END
kubectl apply -f shelf.yaml
kubectl patch serviceaccount default -n {{library}} -p '{"imagePullSecrets": [{"name": "key"}]}'
kubectl delete pods -n {{library}} --all --now
kubectl rollout status deployment/reader -n {{library}} --timeout=120s
