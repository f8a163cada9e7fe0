# fails: other-page
# after: by-manifest.sh
kubectl patch configmap notes -n {{desk.near}} -p '{"data": {"other": "{{page.near}}"}}'
