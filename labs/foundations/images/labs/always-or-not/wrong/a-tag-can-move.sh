# fails: frozen
# after: patched.sh
kubectl set image deployment/{{print}} web=nginx:1.27
kubectl rollout status deployment/{{print}} --timeout=120s
