# fails: births marriages passports archive
# after: mend-the-forms.sh
kubectl label deployment births office-
kubectl scale deployment marriages --replicas=1
kubectl delete deployment passports
sed -i 's/app: passports/app: passport/' passports.yaml
kubectl apply -f passports.yaml
kubectl delete pod archive --now
kubectl run archive --image=nginx:1.27 --labels=app=archive
kubectl rollout status deployment/passports --timeout=120s
kubectl wait --for=condition=Ready pod/archive --timeout=120s
