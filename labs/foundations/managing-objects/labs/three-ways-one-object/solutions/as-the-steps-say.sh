kubectl create deployment by-command --image=nginx:1.27
kubectl set env deployment/by-command HALL={{hall}}
kubectl create -f by-file.yaml
kubectl scale deployment by-file --replicas=3
sed -i '/OLD/d' by-file.yaml
kubectl replace -f by-file.yaml
kubectl apply -f by-wish.yaml
kubectl scale deployment by-wish --replicas=3
sed -i '/OLD/d' by-wish.yaml
kubectl apply -f by-wish.yaml
kubectl apply -f auction/
sed -i '/OLD/d' auction/bell.yaml
kubectl apply -f auction/
