# fails: yard
# after: set-image-and-patch.sh
kubectl set image deployment/yard yard=httpd:2.2
