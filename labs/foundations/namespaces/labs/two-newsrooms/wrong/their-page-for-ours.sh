# fails: own-page
# after: by-manifest.sh
kubectl patch configmap notes -n {{desk.near}} -p '{"data": {"archive": "{{page.far}}"}}'
