cat > births.yaml <<'END'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: births
  labels:
    office: civil
spec:
  selector:
    matchLabels: {app: births}
  template:
    metadata:
      labels: {app: births}
    spec:
      containers:
        - name: web
          image: nginx:1.27
END
sed -i 's/"{{copies}}"/{{copies}}/; s/name: Web/name: web/' marriages.yaml
sed -i 's#extensions/v1beta1#apps/v1#; s#^  template:#  selector: {matchLabels: {app: deeds}}\n  template:#' deeds.yaml
sed -i 's/app: passport}/app: passports}/' passports.yaml
cat >> archive.yaml <<'END'
  volumes:
    - name: shelf
      configMap: {name: shelf}
END
for form in births marriages deeds passports archive; do kubectl apply -f $form.yaml; done
for form in births marriages deeds passports; do kubectl rollout status deployment/$form --timeout=120s; done
kubectl wait --for=condition=Ready pod/archive --timeout=120s
