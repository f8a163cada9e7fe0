# fails: file wish
kubectl create deployment by-command --image=nginx:1.27
kubectl set env deployment/by-command HALL={{hall}}
sed -i '/OLD/d' by-file.yaml by-wish.yaml auction/bell.yaml
kubectl apply -f by-file.yaml -f by-wish.yaml -f auction/
