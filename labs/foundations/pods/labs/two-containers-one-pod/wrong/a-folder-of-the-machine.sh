# fails: shared-volume
# after: write-the-manifests.sh
sed -i 's#emptyDir: {}#hostPath: {path: /srv/pages, type: DirectoryOrCreate}#' notebook.yaml
kubectl replace --force -f notebook.yaml
kubectl wait --for=condition=Ready pod/notebook --timeout=120s
sleep 6
