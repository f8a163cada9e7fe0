# fails: forecast was-cut restarted shore
kubectl create configmap forecast --from-literal=logs=yes --from-literal=exec=no --from-literal=proxy=no --from-literal=neighbours=no --from-literal=restart=no --from-literal=new-pod=no --from-literal=heir=ssh --from-literal=dials=control-plane
fault kill {{lamp}}
sleep 30
kubectl create rolebinding look --clusterrole=view --serviceaccount=default:shore
