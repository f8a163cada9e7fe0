# fails: limit labels-live by-name
sed -i 's/# POD.*/- {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}/' gauge.yaml
cat >> gauge.yaml <<'END'
            - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
            - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
END
kubectl apply -f gauge.yaml
kubectl rollout status deployment/gauge --timeout=120s
sleep 10
