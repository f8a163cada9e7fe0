# fails: folder
kubectl create deployment by-command --image=nginx:1.27
kubectl set env deployment/by-command HALL={{hall}}
sed -i '/OLD/d' by-file.yaml by-wish.yaml auction/bell.yaml
kubectl create -f by-file.yaml -f auction/service.yaml
kubectl apply -f by-wish.yaml -f auction/bell.yaml
kubectl scale deployment by-wish --replicas=3
