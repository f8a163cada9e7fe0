# fails: labelled
# after: count-your-own-edition.sh
kubectl label node worker-3 pier=south --overwrite
kubectl label node worker-4 pier=middle --overwrite
kubectl rollout restart deployment/{{boats}}
kubectl rollout status deployment/{{boats}} --timeout=120s
sleep 5
