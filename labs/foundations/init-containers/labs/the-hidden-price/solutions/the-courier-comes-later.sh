cat > price.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: price}
data: {step-first: {{price.step}}, sidecar-first: {{price.after}}, no-step: 1000m, qos: Burstable, crash: "no", sandbox: "yes"}
END
kubectl apply -f price.yaml
kubectl get deployment {{press}} -o json | jq '.spec.template.spec |= (.containers += [.initContainers[0] | del(.restartPolicy)] | .initContainers |= .[1:])' > press.json
kubectl replace -f press.json
kubectl rollout status deployment/{{press}} --timeout=120s
sleep 3
