# fails: recommended
cat > films.yaml <<'END'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: lantern
  labels:
    film: lantern
    part-of: film-archive
  annotations:
    title: "{{fact.title}}"
spec:
  selector:
    matchLabels: {film: lantern}
  template:
    metadata:
      labels: {film: lantern, decade: "{{decade.middle}}"}
    spec:
      containers:
        - {name: projector, image: "nginx:1.27"}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: harbour
  labels:
    film: harbour
    part-of: film-archive
  annotations:
    source: "{{fact.source}}"
spec:
  selector:
    matchLabels: {film: harbour}
  template:
    metadata:
      labels: {film: harbour, decade: "{{decade.young}}"}
    spec:
      containers:
        - {name: projector, image: "nginx:1.27"}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: orchard
  labels:
    film: orchard
    part-of: film-archive
  annotations:
    synopsis: "{{fact.synopsis}}"
spec:
  selector:
    matchLabels: {film: orchard}
  template:
    metadata:
      labels: {film: orchard, decade: "{{decade.young}}"}
    spec:
      containers:
        - {name: projector, image: "nginx:1.27"}
END
kubectl apply -f films.yaml
kubectl label deployment glacier part-of=film-archive
kubectl patch deployment glacier -p '{"spec": {"template": {"metadata": {"labels": {"decade": "{{decade.old}}"}}}}}'
kubectl rollout status deployment/glacier --timeout=60s
kubectl rollout status deployment/lantern --timeout=60s
kubectl rollout status deployment/harbour --timeout=60s
kubectl rollout status deployment/orchard --timeout=60s
