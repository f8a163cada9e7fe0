kubectl patch deployment webcam -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"exec": {"command": ["test", "-e", "/usr/share/nginx/html/ready"]}, "periodSeconds": 3}}]}}}}'
kubectl patch deployment avalanche -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "livenessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 4}}]}}}}'
kubectl patch deployment map -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"exec": {"command": ["wget", "-q", "-O", "/dev/null", "http://localhost/"]}}, "startupProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 10, "failureThreshold": 9}}]}}}}'
sed 's#command: \[sh, /lifts/start.sh\]#command: [sh, /lifts/start.sh]\n          startupProbe: {tcpSocket: {port: 80}, periodSeconds: 2, failureThreshold: 60}\n          livenessProbe: {exec: {command: [wget, -q, -O, /dev/null, "http://localhost/"]}, periodSeconds: 5}#' lifts.yaml > with-probes.yaml
kubectl apply -f with-probes.yaml
for name in webcam avalanche map lifts; do kubectl rollout status deployment/$name --timeout=180s; done
sleep 3
