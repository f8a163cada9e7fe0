# fails: image-kept
kubectl patch deployment {{board}} --type=json -p '[{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]'
