# fails: never-ready
kubectl create configmap phases --from-literal=always=Running --from-literal=onfailure={{fault.onfailure}} --from-literal=never={{fault.never}} --from-literal=no-room=Pending --from-literal=no-settings=Pending --from-literal=half-done=Running
kubectl run {{name}}-failed --image=busybox:1.36 --restart=Never -- sh -c 'exit 1'
kubectl run {{name}}-closed --image=nginx:none
sleep 20
