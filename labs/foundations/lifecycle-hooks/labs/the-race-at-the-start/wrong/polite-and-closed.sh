# fails: serves
# after: a-hook-and-enough-grace.sh
echo '      readinessProbe: {exec: {command: ["false"]}}' >> runner.yaml
kubectl replace --force -f runner.yaml
sleep 20
