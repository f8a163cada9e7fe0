kubectl create deployment by-command --image=nginx:1.27
kubectl set env deployment/by-command HALL={{hall}}
sed -i '/OLD/d' by-file.yaml by-wish.yaml auction/bell.yaml
kubectl create -f by-file.yaml
kubectl apply --server-side -f by-wish.yaml
kubectl scale deployment by-wish --replicas=3
cd auction
cat > kustomization.yaml <<'END'
resources: [bell.yaml, service.yaml]
END
kubectl apply --server-side -k .
