# fails: gate
# after: set-image-and-patch.sh
kubectl set image deployment/gate gate={{misspelt}}:1.27
