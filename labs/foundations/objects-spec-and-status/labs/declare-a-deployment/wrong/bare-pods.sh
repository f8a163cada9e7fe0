# fails: accepted image three-ready declared heals
for name in a b c; do kubectl run web-$name --image=nginx:1.27 --labels=app=web; done
kubectl wait --for=condition=Ready pod -l app=web --timeout=120s
