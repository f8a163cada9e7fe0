cat > counts.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: counts}
data: {one: "{{ask.n1}}", two: "{{ask.n2}}", three: "{{ask.n3}}", four: "{{ask.n4}}", five: "{{ask.n5}}", six: "{{ask.n6}}"}
END
kubectl apply -f counts.yaml
for bed in bed-02 bed-05; do kubectl patch pod $bed -p '{"metadata": {"labels": {"{{key}}": "daily"}}}'; done
kubectl patch pod bed-07 --type=json -p '[{"op": "remove", "path": "/metadata/labels/closed"}]'
