# fails: phases
# after: a-probe-that-says-no.sh
kubectl patch configmap phases -p '{"data": {"always": "CrashLoopBackOff"}}'
