# fails: two-ready
# after: write-the-manifests.sh
echo '      readinessProbe: {exec: {command: ["false"]}}' >> notebook.yaml
kubectl replace --force -f notebook.yaml
sleep 20
