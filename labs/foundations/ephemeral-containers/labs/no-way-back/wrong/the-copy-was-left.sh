# fails: alone
# after: a-copy-that-stays.sh
kubectl debug bridge --copy-to=bridge-copy --container=bridge -- sh -c 'sleep 3600'
sleep 5
