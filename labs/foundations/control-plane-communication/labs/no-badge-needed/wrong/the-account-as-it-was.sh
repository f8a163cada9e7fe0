# fails: new-ones
# after: decide-in-the-templates.sh
kubectl patch serviceaccount default -n {{school}} -p '{"automountServiceAccountToken": true}'
