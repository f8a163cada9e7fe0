# fails: even
# after: count-your-own-edition.sh
kubectl scale deployment {{boats}} --replicas=7
kubectl rollout status deployment/{{boats}} --timeout=120s
