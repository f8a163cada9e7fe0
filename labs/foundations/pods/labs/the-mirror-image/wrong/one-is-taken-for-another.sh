# fails: found
# after: by-the-annotation.sh
kubectl patch configmap static -p '{"data": {"{{decoy}}-control-plane": "mirror", "etcd-control-plane": null}}'
