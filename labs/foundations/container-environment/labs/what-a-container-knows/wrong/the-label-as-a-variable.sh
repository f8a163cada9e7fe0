# fails: labels-live
sed -i 's/value: $(ALMANAC_SERVICE_HOST)/value: almanac/; s#grep .*river=.*2)#echo $RIVER)#' gauge.yaml
sed -i 's/# POD.*/- {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}/' gauge.yaml
cat >> gauge.yaml <<'END'
            - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
            - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}
            - {name: RIVER, valueFrom: {fieldRef: {fieldPath: "metadata.labels['river']"}}}
END
kubectl apply -f gauge.yaml
kubectl rollout status deployment/gauge --timeout=120s
sleep 10
