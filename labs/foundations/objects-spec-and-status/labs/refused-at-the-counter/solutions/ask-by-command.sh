for form in births deeds passports; do kubectl create deployment $form --image=nginx:1.27; done
kubectl create deployment marriages --image=nginx:1.27 --replicas={{copies}}
kubectl label deployment births office=civil
kubectl create deployment archive --image=nginx:1.27
kubectl patch deployment archive -p '{"spec": {"template": {"spec": {"volumes": [{"name": "shelf", "configMap": {"name": "shelf"}}], "containers": [{"name": "nginx", "volumeMounts": [{"name": "shelf", "mountPath": "/usr/share/nginx/html"}]}]}}}}'
for form in births marriages deeds passports archive; do kubectl rollout status deployment/$form --timeout=120s; done
