# fails: file wish folder
kubectl create deployment by-command --image=nginx:1.27
kubectl set env deployment/by-command HALL={{hall}}
kubectl create -f by-file.yaml -f by-wish.yaml -f auction/
kubectl scale deployment by-file by-wish --replicas=3
kubectl set env deployment/by-file deployment/by-wish deployment/bell OLD-
