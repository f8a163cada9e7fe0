# fails: marriages
# after: mend-the-forms.sh
kubectl scale deployment marriages --replicas=1
sleep 5
