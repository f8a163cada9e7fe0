# fails: open
# after: close-and-roll.sh
kubectl cordon {{berth}}
