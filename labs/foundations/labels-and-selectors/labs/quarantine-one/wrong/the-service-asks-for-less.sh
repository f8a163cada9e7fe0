# fails: out-of-traffic
# after: take-the-label-away.sh
kubectl patch service quotes -p '{"spec": {"selector": {"app": null}}}'
sleep 5
