# fails: signed
sed -i 's/value: $(ALMANAC_SERVICE_HOST)/value: almanac/' gauge.yaml
sed -i 's/# POD.*/- {name: POD, value: gauge}/' gauge.yaml
cat >> gauge.yaml <<'END'
            - {name: NODE, value: worker-1}
            - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}
          volumeMounts:
            - {name: about, mountPath: /about}
      volumes:
        - name: about
          downwardAPI:
            items:
              - {path: labels, fieldRef: {fieldPath: metadata.labels}}
END
kubectl apply -f gauge.yaml
kubectl rollout status deployment/gauge --timeout=120s
sleep 10
