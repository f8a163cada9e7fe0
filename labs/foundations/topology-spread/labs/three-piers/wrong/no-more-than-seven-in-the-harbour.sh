# fails: hard
# after: count-your-own-edition.sh
kubectl create quota harbour --hard=pods=7
