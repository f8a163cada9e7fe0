# fails: way-in
# after: by-commands.sh
kubectl patch configmap door -p '{"data": {"url": "http://{{market}}/"}}'
