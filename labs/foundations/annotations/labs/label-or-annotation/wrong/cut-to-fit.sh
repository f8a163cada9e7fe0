# fails: no-loss
# after: by-command.sh
kubectl annotate --overwrite deployment orchard synopsis="too long to fit"
