# fails: four-serve released
kubectl label pod {{sick}} tier=case case={{case}} --overwrite
sleep 10
