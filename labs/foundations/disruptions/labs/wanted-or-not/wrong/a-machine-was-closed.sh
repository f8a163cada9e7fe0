# fails: apart
# after: spread-over-machines.sh
kubectl cordon worker-3
kubectl rollout restart deployment/{{plan}}
kubectl rollout status deployment/{{plan}} --timeout=60s
kubectl uncordon worker-3
