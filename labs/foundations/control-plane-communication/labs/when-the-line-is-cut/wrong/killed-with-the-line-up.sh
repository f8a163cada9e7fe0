# fails: was-cut
kubectl create configmap forecast --from-literal=logs=no --from-literal=exec=no --from-literal=proxy=no --from-literal=neighbours=yes --from-literal=restart=yes --from-literal=new-pod=no --from-literal=heir=konnectivity --from-literal=dials=node
fault kill {{lamp}}
sleep 20
fault link {{rig.node}} cut
sleep 90
fault link {{rig.node}} healed
sleep 60
kubectl create role look --verb=get --resource=services/proxy --resource-name={{lamp}}
kubectl create rolebinding look --role=look --serviceaccount=default:shore
