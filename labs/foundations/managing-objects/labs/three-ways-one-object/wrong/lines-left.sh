# fails: command file wish folder
kubectl create deployment by-command --image=nginx:1.27
kubectl create -f by-file.yaml
kubectl apply -f by-wish.yaml
kubectl scale deployment by-wish --replicas=3
kubectl apply -f auction/
