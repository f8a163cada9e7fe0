# fails: proxy-count
# after: note-and-heal.sh
kubectl patch configmap components -n survey -p '{"data": {"proxy-count": "2"}}'
