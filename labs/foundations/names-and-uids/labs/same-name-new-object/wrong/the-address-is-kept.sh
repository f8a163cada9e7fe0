# fails: facts
# after: look-then-act.sh
kubectl patch configmap facts -p '{"data": {"address": "same"}}'
