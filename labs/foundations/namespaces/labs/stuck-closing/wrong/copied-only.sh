# fails: gone
for n in 1 2 3; do
  kubectl create configmap programme-$n -n archive "--from-literal=play=play of programme-$n" --from-literal=nights=12
done
