# fails: restarted
# after: killed-while-cut.sh
kubectl set image pod/{{lamp}} web=nginx:none
sleep 20
